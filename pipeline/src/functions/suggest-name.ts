/** The nearest legal function name: `Shop/GiftCard_v2` → `shop/gift-card-v2`. */
export function suggestName(name: string): string {
  const segments = name.split('/').filter((segment) => segment !== '')
  if (segments.length < 2) segments.unshift('my-group')
  return segments.slice(0, 2).map(toSegment).join('/')
}

function toSegment(text: string): string {
  const words = text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
  return words === '' ? 'my-function' : words.slice(0, 40).replace(/-+$/, '')
}
