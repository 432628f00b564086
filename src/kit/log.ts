import { isatty } from 'node:tty'
import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { logLevels } from './settings/catalogue.ts'
import { prettyLine } from './log-line.ts'
import { maskedFields, maskedText } from './redact.ts'
import { withTrace } from './tracing/span.ts'

export type Log = Logger

export interface LogOptions {
  level: (typeof logLevels)[number]
  /** Where lines go, ended by a line end; standard error unless given. */
  write?: (line: string) => void
  /** One line for people instead of JSON; unless given, where standard error is a terminal. */
  pretty?: boolean
  env?: Readonly<Record<string, string | undefined>>
}

/**
 * In: the level and where to. Out: a logger (pino's, so Fastify takes it as `loggerInstance`) that writes one JSON object a line
 * to standard error: `level`, `time` (ISO 8601), `msg`, and the fields given. Values under secret names, credentials in
 * headers and passwords in URLs are left out of every line.
 */
export function createLog({ level, write, pretty = write === undefined && isatty(2), env = process.env }: LogOptions): Log {
  const color = pretty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  const out = write === undefined ? pino.destination({ fd: 2, sync: true }) : { write }
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => maskedFields(withTrace(fields)) },
      hooks: { streamWrite: maskedText },
    },
    pretty ? { write: (line: string) => out.write(prettyLine(line, color)) } : out,
  )
}
