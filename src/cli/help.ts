import { nearest } from '../kit/settings/nearest.ts'
import type { Command } from './command.ts'
import { commands } from './commands.ts'

export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `lazaret: a registry that holds every image in quarantine until it is proven clean

usage: lazaret COMMAND …      lazaret COMMAND --help

${lines.join('\n')}

Exit: 0 fine, 1 failed, 2 wrong usage, 3 the policy says no.
`
}

export function usageOf(name: string, command: Command): string {
  const details = command.details === undefined ? '' : `\n${command.details.map((line) => `  ${line}`).join('\n')}\n`
  return `usage: lazaret ${name} ${command.usage}\n\n${command.summary}.\n${details}`
}

export function nearestCommand(name: string): string {
  const found = nearest(name, Object.keys(commands))
  return found === undefined ? ' (see lazaret --help)' : `: did you mean ${found}?`
}
