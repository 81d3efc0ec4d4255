/** Texts that become scripts where a page makes markup of data. Each calls what the test listens for. */
export const MARKUP = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  "'-alert(4)-'",
  '</style><script>alert(5)</script>',
  '<a href="javascript:alert(6)">a</a>',
  '{{constructor.constructor("alert(7)")()}}',
  '<iframe srcdoc="<script>alert(8)</script>">',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(9)>',
  'javascript:alert(10)',
] as const
