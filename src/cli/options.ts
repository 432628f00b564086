import { LazaretError } from '../kit/errors.ts'
import { nearest } from '../kit/settings/nearest.ts'
import type { Command, ExitCode, Io } from './command.ts'

/** In: what a flag was given. Out: it as one of the words. Throws USAGE. */
export function oneOf<const T extends string>(words: readonly T[], given: string, flag: string): T {
  const found = words.find((word) => word === given)
  if (found === undefined)
    throw new LazaretError('USAGE', `${flag} is one of ${words.join(', ')}, not ${JSON.stringify(given.slice(0, 60))}`)
  return found
}

export const formatOption = { format: { type: 'string', default: 'table' } } as const

export function isJson(format: string): boolean {
  return oneOf(['table', 'json'], format, '--format') === 'json'
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** In: what stands besides flags. Out: the one word of it. Throws USAGE, never repeating what is too much: it may be a secret. */
export function onlyOne(positionals: readonly string[], what: string): string {
  const [first, ...more] = positionals
  if (first === undefined) throw new LazaretError('USAGE', `${what} is missing`)
  if (more.length > 0) throw new LazaretError('USAGE', `one ${what} is wanted, not ${positionals.length}`)
  return first
}

export type Subcommand = (args: string[], io: Io) => Promise<ExitCode>

/** In: the words after the command's name, and what each means. Throws USAGE for another word. */
export function runSubcommand(command: string, subcommands: Readonly<Record<string, Subcommand>>): Command['run'] {
  return (args, io) => {
    const [word, ...rest] = args
    const names = Object.keys(subcommands)
    if (word === undefined) throw new LazaretError('USAGE', `say what to do: ${names.join(', ')}`)
    const chosen = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined
    if (chosen !== undefined) return chosen(rest, io)
    const meant = nearest(word, names)
    throw new LazaretError(
      'USAGE',
      `there is no ${command} ${JSON.stringify(word.slice(0, 40))}${meant === undefined ? '' : `, did you mean ${meant}?`}`,
    )
  }
}
