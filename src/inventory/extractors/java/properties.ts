/**
 * A file of `key=value` lines (java.util.Properties), as far as Maven's own need it: comments, `:` and blanks between key
 * and value, a line that goes on after a backslash, escapes of one character and of Unicode.
 * In: its bytes. Out: the properties; of a key given twice the last counts, as in Java.
 */
export function parseProperties(bytes: Buffer): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(bytes.toString('utf8'))) {
    const match = /^((?:\\.|[^\\\s=:])+)[ \t\f]*[=: \t\f]?[ \t\f]*(.*)$/s.exec(line)
    if (match?.[1] !== undefined) properties.set(unescape(match[1]), unescape(match[2] ?? '').trim())
  }
  return properties
}

function* logicalLines(text: string): Generator<string> {
  let held: string[] = []
  for (const line of text.split(/\r\n|\r|\n/)) {
    const part = line.replace(/^[ \t\f]+/, '')
    if (held.length === 0 && (part === '' || part.startsWith('#') || part.startsWith('!'))) continue
    const isOpen = endsOpen(part)
    held.push(isOpen ? part.slice(0, -1) : part)
    if (isOpen) continue
    yield held.join('')
    held = []
  }
  if (held.length > 0) yield held.join('')
}

/** An odd number of backslashes at the end: the last of them is no character but says that the line goes on. */
function endsOpen(line: string): boolean {
  let at = line.length
  while (at > 0 && line[at - 1] === '\\') at--
  return (line.length - at) % 2 === 1
}

function unescape(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, char: string | undefined) =>
    code === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  )
}
