/**
 * The file name of one segment of a key. Characters that some file system treats specially are
 * percent-encoded, a leading dot too: names with one are the store's own.
 */
export function fileNameOf(segment: string): string {
  return encodeURIComponent(segment)
    .replaceAll(
      /[!'()*~]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    .replace(/^\./, '%2E')
}

/** The segment a file name stands for; null for a file that is no object of a store. */
export function keyOfFileName(name: string): string | null {
  if (name.startsWith('.')) return null
  try {
    const segment = decodeURIComponent(name)
    return fileNameOf(segment) === name ? segment : null
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}
