// What must never stand in a log: passwords, tokens, cookies, keys.

const censor = '[redacted]'
const secretName = /^(?:proxy-?)?authorization$|^(?:set-?)?cookie$|password|passwd|token$|secret|private_?key|^(?:x-)?api-?key$/i
const maxDepth = 8

/**
 * In: the fields of a log line. Out: the same, with values under secret names replaced, in plain objects and lists at any depth
 * (deeper than eight they are dropped). Errors and other class instances are left to their serializers.
 */
export function maskedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return masked(fields, 0) as Record<string, unknown>
}

/**
 * In: a finished line of JSON. Out: the same without credentials of HTTP headers, robots' tokens and secrets in URLs, wherever they stand, and
 * without text under secret names: a child logger's own fields come by no other way.
 */
export function maskedText(line: string): string {
  return line
    .replaceAll(/"([\w-]{1,64})":"(?:[^"\\]|\\.)*"/g, (whole, name: string) => (secretName.test(name) ? `"${name}":"${censor}"` : whole))
    .replaceAll(/\b(Bearer|Basic) [\w+/.~=-]{6,}/gi, `$1 ${censor}`)
    .replaceAll(/\blzr_[\w-]{16,}/g, `lzr_${censor}`)
    .replaceAll(/:\/\/[^\s/:@"]*:[^\s/@"]+@/g, `://${censor}@`)
    .replaceAll(/([?&][\w-]{0,40}(?:token|password|secret|signature)[\w-]{0,40}=)[^&\s"]+/gi, `$1${censor}`)
}

function masked(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return depth >= maxDepth ? '[deep]' : value.map((item) => masked(item, depth + 1))
  if (!isPlain(value)) return value
  if (depth >= maxDepth) return '[deep]'
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, isSecret(name, inner) ? censor : masked(inner, depth + 1)]))
}

function isSecret(name: string, value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'boolean' && secretName.test(name)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
