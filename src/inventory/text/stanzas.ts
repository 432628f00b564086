import { linesOf } from './lines.ts'

/** One paragraph of `Name: value` lines: only the fields that were asked for, in lower case, first one wins. */
export interface Stanza {
  /** Of its first line, from 1. */
  line: number
  fields: Map<string, string>
}

/** No field that is read here is longer in any real database; a longer one is cut, and then fails where it is used. */
const maxValueBytes = 16 * 1024
const maxNameBytes = 64

/**
 * Paragraphs of a Debian control file (deb822(5)) or of e-mail headers (RFC 822), without a copy of what is not asked
 * for. In: bytes, field names in lower case, and whether only the first paragraph counts. Out: paragraphs in which at
 * least one line was. Continuation lines (of descriptions) are passed over. Bytes that are not UTF-8 become U+FFFD.
 */
export function* stanzasOf(bytes: Buffer, wanted: ReadonlySet<string>, firstOnly = false): Generator<Stanza> {
  let stanza: Stanza | undefined
  for (const { number, start, end } of linesOf(bytes)) {
    if (isBlank(bytes, start, end)) {
      if (stanza !== undefined) yield stanza
      if (stanza !== undefined && firstOnly) return
      stanza = undefined
      continue
    }
    stanza ??= { line: number, fields: new Map() }
    const first = bytes[start]
    if (first !== 0x20 && first !== 0x09) addField(stanza, bytes, start, end, wanted)
  }
  if (stanza !== undefined) yield stanza
}

function addField(stanza: Stanza, bytes: Buffer, start: number, end: number, wanted: ReadonlySet<string>): void {
  const head = bytes.subarray(start, Math.min(end, start + maxNameBytes))
  const colon = head.indexOf(0x3a)
  if (colon <= 0) return
  const name = head.toString('latin1', 0, colon).trimEnd().toLowerCase()
  if (!wanted.has(name) || stanza.fields.has(name)) return
  const valueStart = start + colon + 1
  stanza.fields.set(name, bytes.toString('utf8', valueStart, Math.min(end, valueStart + maxValueBytes)).trim())
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false
  return true
}
