/** What a file must look like from its first bytes on. */
export type Looks = 'zip' | 'json' | 'gzip or csv' | 'list'

const gzip = 0x1f8b
const zstd = 0xfd2fb528
const zip = 0x04034b50
const emptyZip = 0x06054b50

/**
 * In: what is expected, the first bytes of what came, and its Content-Type. Out: what is wrong with it in words; undefined where
 * nothing is. A page of a proxy or a sign-in comes with status 200 too.
 */
export function wrongLook(looks: Looks, head: Buffer, contentType: string | null): string | undefined {
  const text = head.subarray(0, 512).toString('latin1').replace(/^ï»¿/, '').trimStart()
  if (/^text\/html\b/i.test(contentType ?? '') || /^<(?:!doctype|html|head|body|\?xml|!--)/i.test(text))
    return `it is a page of HTML, not ${named[looks]}`
  return fits(looks, head, text) ? undefined : `it does not begin as ${named[looks]}`
}

const named: Record<Looks, string> = { zip: 'a zip', json: 'JSON', 'gzip or csv': 'gzip or CSV', list: 'a list of changes' }

function fits(looks: Looks, head: Buffer, text: string): boolean {
  const first = head.length >= 4 ? head.readUInt32LE(0) : 0
  const isPacked = (head.length >= 2 && head.readUInt16BE(0) === gzip) || first === zstd
  if (looks === 'zip') return first === zip || first === emptyZip
  if (looks === 'json') return isPacked || /^[[{]/.test(text)
  if (looks === 'list') return /^(?:\d{4}-|modified\b)/i.test(text)
  return isPacked || /^(?:#|cve\b|CVE-)/.test(text)
}
