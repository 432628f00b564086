const mostPairs = 64
const mostCharacters = 4096

/**
 * In: `name=value,other=value`, values percent-encoded, as OpenTelemetry has it for headers and resource attributes ("Baggage", W3C).
 * Out: what stands in it, or undefined where that is not its form, or more than 64 pairs.
 */
export function parseKeyValues(text: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>()
  if (text.length > mostCharacters) return undefined
  for (const part of text.split(',')) {
    if (part.trim() === '') continue
    const [, name = '', value = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z/-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? []
    const decoded = decode(value)
    if (name === '' || decoded === undefined || pairs.size >= mostPairs) return undefined
    pairs.set(name, decoded)
  }
  return pairs
}

/** The same, and fit to be the headers of a request. */
export function parseHeaders(text: string): Map<string, string> | undefined {
  const pairs = parseKeyValues(text)
  if (pairs === undefined) return undefined
  for (const [name, value] of pairs) if (name.includes('/') || !/^[\x20-\x7e]*$/.test(value)) return undefined
  return pairs
}

/** What is no percent-encoding stands for itself: tokens are often written so. Control characters are no value. */
function decode(value: string): string | undefined {
  let text = value
  try {
    text = decodeURIComponent(value)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  return /\p{Cc}/u.test(text) ? undefined : text
}
