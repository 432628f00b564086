import type { ReadStream } from 'node:tty'
import { LazaretError } from '../kit/errors.ts'
import type { Io } from './command.ts'
import { askOnTerminal } from './terminal.ts'

const mostBytes = 64 * 1024

/** Why a password is not an argument, for who tries. */
export const secretFlags = { password: { type: 'string', short: 'p' } } as const

/** Throws USAGE where a password stands on the command line; it is not repeated. */
export function refuseSecretArgument(values: { password?: string | undefined }): void {
  if (values.password === undefined) return
  throw new LazaretError('USAGE', 'a password on the command line can be read by others: use --password-stdin')
}

/**
 * In: whether it comes on standard input, and what a terminal is asked (twice where it is a new one). Out: the password.
 * Throws USAGE where there is neither, and where it isn't one line.
 */
export async function readSecret(io: Io, given: { fromStdin: boolean; question: string; twice?: boolean }): Promise<string> {
  if (given.fromStdin) return readPiped(io)
  if (!isTerminal(io.stdin)) throw new LazaretError('USAGE', 'there is no terminal to ask on: use --password-stdin')
  const questions = [`${given.question}: `, ...(given.twice === true ? [`${given.question}, again: `] : [])]
  const [first = '', second = first] = await askOnTerminal(io.stdin, questions, { write: io.err, shown: false })
  if (second !== first) throw new LazaretError('USAGE', 'that was not the same twice')
  if (first === '') throw new LazaretError('USAGE', 'a password is missing')
  return first
}

/** Asks on a terminal, seen. Throws USAGE with `missing` where there is none. */
export async function askLine(io: Io, question: string, missing: string): Promise<string> {
  if (!isTerminal(io.stdin)) throw new LazaretError('USAGE', missing)
  const [line = ''] = await askOnTerminal(io.stdin, [question], { write: io.err, shown: true })
  return line.trim()
}

/** The last line end is left out, as `echo` writes one. */
async function readPiped(io: Io): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk as Buffer | string)
    size += bytes.length
    if (size > mostBytes) throw new LazaretError('USAGE', `standard input has more than ${mostBytes} bytes`)
    chunks.push(bytes)
  }
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (text === '') throw new LazaretError('USAGE', 'no password came on standard input')
  if (/[\r\n\0]/.test(text)) throw new LazaretError('USAGE', 'a password is one line, and more came on standard input')
  return text
}

function isTerminal(stdin: NodeJS.ReadableStream): stdin is ReadStream {
  return (stdin as Partial<ReadStream>).isTTY === true
}
