// The form of a log line on a terminal: `06:12:33.120 warn  what happened  name=value name=value`, then a stack.

const colors: Record<string, string> = { trace: '90', debug: '90', info: '36', warn: '33', error: '31', fatal: '41' }

/** In: a line of JSON as pino writes it. Out: the line for people. What isn't such a line comes back as it is, made harmless. */
export function prettyLine(line: string, color: boolean): string {
  const record = parsed(line)
  if (record === undefined) return `${harmless(line.trimEnd())}\n`
  const { level, time, msg, err, ...fields } = record
  const paint = (code: string, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text)
  const head = [
    paint('90', harmless(String(time)).slice(11, 23)),
    paint(colors[String(level)] ?? '0', harmless(String(level)).padEnd(5)),
    harmless(typeof msg === 'string' ? msg : ''),
    ...Object.entries(fields).map(([name, value]) => ` ${paint('90', `${harmless(name)}=`)}${shownValue(value)}`),
  ]
  return `${head.join(' ')}\n${stackOf(err, paint)}`
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const record: unknown = JSON.parse(line)
    return typeof record === 'object' && record !== null && !Array.isArray(record) ? (record as Record<string, unknown>) : undefined
  } catch {
    // Not every writer to this stream need be pino: such a line is shown as it is.
    return undefined
  }
}

function shownValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w@:/.+-]+$/.test(value)) return value
  return harmless(JSON.stringify(value))
}

function stackOf(err: unknown, paint: (code: string, text: string) => string): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : `    ${shownValue(err)}\n`
  const { stack, message } = err as { stack?: unknown; message?: unknown }
  const text = [stack, message].find((part) => typeof part === 'string') ?? JSON.stringify(err)
  return text
    .split('\n')
    .map((line) => `    ${paint('90', harmless(line.trim()))}\n`)
    .join('')
}

/** Control characters and direction marks in names that strangers chose would act on the terminal: they are written out. */
function harmless(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
