import { nearest } from '../kit/settings/nearest.ts'
import type { Command } from './command.ts'
import { commands } from './commands.ts'
import { wrapped } from './table.ts'

const mostColumns = 80

export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => folded(`  ${name.padEnd(width)}  `, summary))
  return `lazaret: a registry that holds every image until it is proven clean

usage: lazaret COMMAND …      lazaret COMMAND --help

${lines.join('\n')}

Exit: 0 fine, 1 failed, 2 wrong usage, 3 the policy says no.
`
}

export function usageOf(name: string, command: Command): string {
  const details = command.details === undefined ? '' : `\n${command.details.map((line) => folded('  ', line)).join('\n')}\n`
  return `${usageLines(name, command)}\n${command.summary}.\n${details}`
}

/** A line for each subcommand. */
export function usageLines(name: string, command: Command): string {
  return command.usage
    .split(' | ')
    .map((form, at) => folded(`${at === 0 ? 'usage:' : '      '} lazaret ${name} `, form).trimEnd())
    .join('\n')
    .concat('\n')
}

/** Text that goes on below its own beginning, within 80 columns; what stands in brackets stays together. */
function folded(before: string, text: string): string {
  const held = text.replaceAll(/\[[^\]]*\]/g, (option) => option.replaceAll(' ', '\u00a0'))
  return wrapped(held, mostColumns - before.length)
    .map((line, at) => (at === 0 ? before : ' '.repeat(before.length)) + line.replaceAll('\u00a0', ' '))
    .join('\n')
}

export function nearestCommand(name: string): string {
  const found = nearest(name, Object.keys(commands))
  return found === undefined ? ' (see lazaret --help)' : `: did you mean ${found}?`
}
