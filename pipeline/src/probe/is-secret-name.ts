/** Words in the names of headers and fields whose values prove who somebody is. */
const words = [
  'authorization',
  'authentication',
  'cookie',
  'token',
  'secret',
  'passw',
  'credential',
  'session',
  'apikey',
  'privatekey',
  'signature',
  'csrf',
  'xsrf',
  'jwt',
]

/**
 * Whether what is called so, a header (`x-api-key`) or a field (`accessToken`), is likely to hold a
 * secret. By the name alone: a value does not show what it opens.
 */
export function isSecretName(name: string): boolean {
  const letters = name.toLowerCase().replaceAll(/[^a-z]/g, '')
  return letters.endsWith('auth') || words.some((word) => letters.includes(word))
}
