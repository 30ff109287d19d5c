/** Cookies of a `cookie` header by name, percent-encoding undone where it is valid. Frozen. */
export function parseCookies(header: string): Readonly<Record<string, string>> {
  const cookies: Record<string, string> = Object.create(null)
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at < 1) continue
    // The first of a name wins: it has the more specific path (RFC 6265, section 5.4).
    cookies[pair.slice(0, at).trim()] ??= decode(pair.slice(at + 1).trim())
  }
  return Object.freeze(cookies)
}

function decode(value: string): string {
  const bare = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}
