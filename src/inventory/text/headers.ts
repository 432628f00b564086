import { linesOf } from './lines.ts'

/** No field that is read here has more lines or longer ones; what is beyond is left out. */
const maxLines = 10_000
const maxLineBytes = 16 * 1024
const maxNameBytes = 64
const byteOrderMark = Buffer.from('\ufeff')

/**
 * Headers as of an e-mail: `Name: value`, a line that starts with a space or a tab goes on with the field before it, and
 * the first empty line ends them. A line of white space alone is no empty line, as in licence texts.
 * In: a file's bytes, and the fields that are wanted, in lower case. Out: their values in order, each with its lines.
 * RFC 5322, section 2.2; packaging.python.org, "Core metadata". Bytes that are not UTF-8 become U+FFFD.
 */
export function headersOf(bytes: Buffer, wanted: ReadonlySet<string>): Map<string, string[]> {
  const text = bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes
  const fields = new Map<string, string[]>()
  let current: string[] | undefined
  let left = maxLines
  for (const { start, end } of linesOf(text)) {
    if (start === end) break
    const isContinued = text[start] === 0x20 || text[start] === 0x09
    if (!isContinued) current = undefined
    const name = isContinued ? undefined : nameAt(text, start, end)
    if (name !== undefined && wanted.has(name)) {
      current = fields.get(name) ?? []
      fields.set(name, current)
      if (left-- > 0) current.push(valueOf(text, start + name.length + 1, end))
    } else if (isContinued && current !== undefined && current.length > 0 && left-- > 0) {
      current.push(`${current.pop()}\n${valueOf(text, start, end)}`)
    }
  }
  return fields
}

/** Out: in lower case, as long as it stands in the file; undefined where the line is no field. */
function nameAt(bytes: Buffer, start: number, end: number): string | undefined {
  const colon = bytes.subarray(start, Math.min(end, start + maxNameBytes)).indexOf(0x3a)
  return colon <= 0 ? undefined : bytes.toString('latin1', start, start + colon).toLowerCase()
}

function valueOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, Math.min(end, start + maxLineBytes)).trim()
}
