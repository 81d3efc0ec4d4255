/** Returns text of others as one line of at most `max` UTF-16 units: it ends up in logs, terminals and on the wire. */
export const plain = (text: string, max: number): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, max)
