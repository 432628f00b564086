import type { Io } from '../command.ts'

const codes: Partial<Record<string, string>> = { critical: '1;31', high: '31', medium: '33', low: '36' }
const severity = /^(critical|high|medium|low)(?= )/gm

/** Whether `out` is a terminal that may be coloured. no-color.org */
export function hasColours({ columns, env }: Io): boolean {
  return columns !== undefined && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** In: lines that begin with a severity. Out: the same with that word in its colour. */
export function colouredSeverities(text: string): string {
  return text.replaceAll(severity, (word) => `\u001B[${codes[word] ?? '0'}m${word}\u001B[0m`)
}

export function bold(text: string): string {
  return `\u001B[1m${text}\u001B[0m`
}
