/**
 * Rows of text as a table that fits the width: the columns keep what they need, and the widest gives way.
 * In: header and rows, the width in columns. Out: lines.
 */
export function table(header: string[], rows: string[][], width = 80): string {
  const widths = header.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)))
  const gaps = 2 * (header.length - 1)
  while (sum(widths) + gaps > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] ?? 0) <= 8) break
    widths[widest] = Math.max(8, (widths[widest] ?? 0) - (sum(widths) + gaps - width))
  }
  const line = (cells: string[]) =>
    cells
      .map((cell, at) => fit(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[header, ...rows].map(line).join('\n')}\n`
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, Math.max(width - 1, 0))}…`
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
