/** Inputs that were once taken wrongly, or that sit on an edge where it would be easy; random tests begin with them. */
export const REGRESSIONS: readonly string[] = [
  '', // nothing
  '90', // a list without a code
  'dc0000', // the same in the longer form
  '91cf0000000000000100', // a code beyond the table
  '91cb7ff8000000000000', // NaN where the code is
  '920bd9', // a string that ends before its length
  '920bdaffff', // a string longer than the message
  '9340ce00010001c5ffff', // a payload longer than the message
  '9340ce00010001c50000', // an empty payload in the longer form
  'dcffff', // more items than any message holds
  '9191919107', // deeper than any message nests
  '920ba2c328', // text that is not UTF-8
  '920baaeda080edb080eda080', // surrogates as bytes
]
