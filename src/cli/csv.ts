/**
 * One line of CSV (RFC 4180). In: cells, as text of anybody. Out: the line with its end. A cell that a spreadsheet would run as a
 * formula begins with a quote mark there, and so is text.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
