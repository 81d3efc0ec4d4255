/** Which web pages are this coordinator’s own, as browsers tell it. Programs that are no browser say nothing of the kind. */

/** Returns whether a request comes from a page that this very server gave, or from no page at all. */
export function isOwnPage(headers: ReadonlyMap<string, string>): boolean {
  // Browsers write it themselves, for pages that came safely, and judge by what they see: no proxy is in the way.
  const site = headers.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = headers.get('origin')
  return origin === undefined || isOwnOrigin(origin, headers.get('host') ?? '')
}

/** Returns whether this is the origin of pages from `host`. Another site's page has another host; a page in a sandbox has none. */
export function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin) || !/^[\w.:[\]-]+$/.test(host)) return false
  const page = new URL(origin)
  const asked = `${page.protocol}//${host}`
  return URL.canParse(asked) && new URL(asked).host === page.host && /^https?:$/.test(page.protocol)
}
