import { LazaretError, messageOf } from '../kit/errors.ts'
import { exit, type Command, type ExitCode, type Io } from './command.ts'
import { commands } from './commands.ts'
import { nearestCommand, overview, usageLines, usageOf } from './help.ts'

/** In: the arguments after `lazaret`. Out: the exit code; what was wrong is said in one line on stderr. */
export async function run(argv: string[], io: Io = processIo()): Promise<ExitCode> {
  const [name, ...args] = argv
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(args[0], name === undefined, io)
  if (name === '--version' || name === 'version') return version(io)
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry === undefined) return usage(io, `there is no command ${JSON.stringify(name.slice(0, 60))}${nearestCommand(name)}`)
  const command = await entry.load()
  if (args.includes('--help') || args.includes('-h')) return printed(io, usageOf(name, command))
  return guarded(name, command, args, io)
}

async function guarded(name: string, command: Command, args: string[], io: Io): Promise<ExitCode> {
  try {
    return await command.run(args, io)
  } catch (error) {
    if (isUsage(error)) return usage(io, `${messageOf(error)}\n${usageLines(name, command).trimEnd()}`)
    io.err(`lazaret: ${messageOf(error)}\n`)
    if (!(error instanceof LazaretError) && io.env['LAZARET_LOG'] === 'debug' && error instanceof Error) io.err(`${error.stack ?? ''}\n`)
    return exit.failed
  }
}

/** `parseArgs` of Node throws these for what it does not know. */
function isUsage(error: unknown): boolean {
  if (error instanceof LazaretError) return error.code === 'USAGE'
  return String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
}

async function help(name: string | undefined, missing: boolean, io: Io): Promise<ExitCode> {
  const entry = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (name !== undefined && entry !== undefined) return printed(io, usageOf(name, await entry.load()))
  if (!missing) return printed(io, overview())
  io.err(overview())
  return exit.usage
}

async function version(io: Io): Promise<ExitCode> {
  const { default: about } = await import('../../package.json', { with: { type: 'json' } })
  return printed(io, `lazaret ${about.version} (Node ${process.versions.node})\n`)
}

function usage(io: Io, problem: string): ExitCode {
  io.err(`lazaret: ${problem}\n`)
  return exit.usage
}

function printed(io: Io, text: string): ExitCode {
  io.out(text)
  return exit.fine
}

function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    errColumns: process.stderr.isTTY && (process.env['CI'] ?? '') === '' ? process.stderr.columns : undefined,
  }
}
