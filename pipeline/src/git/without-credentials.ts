/**
 * A remote's address without user name, password or token. `git@host:owner/name` has none that
 * are secret and stays.
 */
export function withoutCredentials(remote: string): string {
  const url = URL.parse(remote)
  if (url === null || url.username + url.password === '') return remote
  url.username = ''
  url.password = ''
  return url.href
}
