/** One line of a file: where it starts and ends, without its line end. Nothing is decoded. */
export interface Line {
  number: number
  start: number
  end: number
}

/** In: a file's bytes. Out: its lines; `\r\n` counts as `\n`. The object is the same each time. */
export function* linesOf(bytes: Buffer): Generator<Line> {
  const line: Line = { number: 0, start: 0, end: 0 }
  while (line.start < bytes.length) {
    const newline = bytes.indexOf(0x0a, line.start)
    const next = newline < 0 ? bytes.length : newline
    line.end = next > line.start && bytes[next - 1] === 0x0d ? next - 1 : next
    line.number++
    yield line
    line.start = next + 1
  }
}
