const gap = 2
const leastWidth = 8

/**
 * Rows of text as a table that fits the width: the columns keep what they need, the widest gives way, and what does not fit is
 * carried on below, so that nothing is lost. A line end in a cell begins a new line of that cell.
 * In: header and rows, the width in columns. Out: lines. Text of strangers can't act on the terminal.
 */
export function table(header: string[], rows: string[][], width = 80): string {
  const all = [header, ...rows].map((row) => row.map((cell) => cell.split('\n').map(harmless)))
  const widths = fitted(
    header.map((_, at) => Math.max(...all.flatMap((row) => (row[at] ?? []).map(lengthOf)))),
    width,
  )
  return all.map((row) => linesOf(row, widths)).join('')
}

/** Control characters and direction marks, which would act on the terminal, are written out. */
export function harmless(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

function fitted(needed: number[], width: number): number[] {
  const widths = [...needed]
  for (let over = total(widths) - width; over > 0; over = total(widths) - width) {
    const widest = widths.indexOf(Math.max(...widths))
    const [first, second] = widths.toSorted((a, b) => b - a)
    if (first === undefined || first <= leastWidth) break
    // Down to the next widest, then both give way.
    widths[widest] = Math.max(leastWidth, first - over, Math.min(second ?? 0, first - 1))
  }
  return widths
}

function total(widths: number[]): number {
  return widths.reduce((sum, one) => sum + one, 0) + gap * (widths.length - 1)
}

function linesOf(row: string[][], widths: number[]): string {
  const cells = row.map((lines, at) => lines.flatMap((line) => wrapped(line, widths[at] ?? 0)))
  const height = Math.max(1, ...cells.map((cell) => cell.length))
  const line = (at: number) =>
    widths
      .map((width, column) => padded(cells[column]?.[at] ?? '', width))
      .join(' '.repeat(gap))
      .trimEnd()
  return Array.from({ length: height }, (_, at) => `${line(at)}\n`).join('')
}

/** In: one line, and a width. Out: lines of at most that, broken at spaces where there are some, else in paths and lists, else anywhere. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = [...text]
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > 0 ? space : (afterMark(rest, width) ?? width)
    lines.push(rest.slice(0, end).join(''))
    rest = rest.slice(space > 0 ? end + 1 : end)
  }
  return [...lines, rest.join('')]
}

function afterMark(text: string[], width: number): number | undefined {
  const mark = text.slice(0, width).findLastIndex((letter) => letter === '/' || letter === ',')
  return mark > 0 ? mark + 1 : undefined
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)))
}

function lengthOf(text: string): number {
  return [...text].length
}
