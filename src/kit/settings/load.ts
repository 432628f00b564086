import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LazaretError } from '../errors.ts'
import { catalogue, isSettingPath, type SettingPath, settingPaths } from './catalogue.ts'
import { fromEnvironment } from './environment.ts'
import { fromFile } from './file.ts'
import type { Getter, Given } from './given.ts'
import { type Kind, Misfit, type Place } from './kinds.ts'
import { fromOpenTelemetry } from './open-telemetry.ts'
import { brokenRules } from './rules.ts'
import { assemble, type Settings } from './shape.ts'

export interface LoadOptions {
  env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from, and where `lazaret.yaml` is looked for. */
  cwd: string
  /** Settings of the command line, by path; they win over the environment: `{ listen: '127.0.0.1:0' }` came from `--listen`. */
  flags?: Readonly<Record<string, string>>
  /** Path of the settings file, from `--config`; it wins over LAZARET_CONFIG. */
  configFile?: string
  /** `false` for a command that opens no listener: what `listen` would lay open does not keep it from its work. */
  listens?: boolean
}

/**
 * In: environment, working folder, flags. Out: every setting in force, with where it came from: flag, else environment (of two
 * that give the same, LAZARET_ before OTEL_), else file, else default. Relative paths start from the working folder, in a file from the file's folder.
 * Throws SETTING_INVALID with every problem found, in `message` and as a list in `detail.problems`.
 */
export function loadSettings(options: LoadOptions): Settings {
  const problems: string[] = []
  const notes: string[] = []
  const configFile = findConfig(options)
  const given = [
    ...(configFile === undefined ? [] : fromFile(configFile.path, configFile.shownAs, problems)),
    ...fromOpenTelemetry(options.env, options.cwd, notes),
    ...fromEnvironment(options.env, options.cwd, problems),
    ...fromFlags(options.flags ?? {}, options.cwd, problems),
  ]
  const values = readAll(given, options, problems)
  refuse(problems)
  const settings = assemble(values.get, values.sources, configFile?.path, notes)
  refuse(brokenRules(settings, options.listens ?? true))
  return settings
}

function findConfig({ env, cwd, configFile }: LoadOptions): { path: string; shownAs: string } | undefined {
  const named = configFile ?? (env.LAZARET_CONFIG === '' ? undefined : env.LAZARET_CONFIG)
  if (named !== undefined) return { path: resolve(cwd, named), shownAs: named }
  const path = resolve(cwd, 'lazaret.yaml')
  return existsSync(path) ? { path, shownAs: 'lazaret.yaml' } : undefined
}

function fromFlags(flags: Readonly<Record<string, string>>, cwd: string, problems: string[]): Given[] {
  return Object.entries(flags).flatMap(([path, text]) => {
    const name = `--${path}`
    if (!isSettingPath(path)) {
      problems.push(`${name} is not a setting`)
      return []
    }
    const kind: Kind<unknown> = catalogue[path].kind
    return [{ path, raw: kind.fromText?.(text) ?? text, folder: cwd, from: name, name }]
  })
}

function readAll(given: Given[], { env, cwd }: LoadOptions, problems: string[]): { get: Getter; sources: Map<SettingPath, string> } {
  const values = new Map<SettingPath, unknown>()
  const sources = new Map<SettingPath, string>()
  for (const path of settingPaths) {
    const standard = catalogue[path].default
    const kind: Kind<unknown> = catalogue[path].kind
    if (standard !== undefined) values.set(path, kind.read(standard, { folder: cwd, env }))
    sources.set(path, 'default')
  }
  for (const one of given) {
    const value = readOne(one, { folder: one.folder, env }, problems)
    values.set(one.path, value)
    sources.set(one.path, one.from)
  }
  // The one cast: each value was read by the kind that its path names.
  return { get: (path) => values.get(path) as never, sources }
}

function readOne(given: Given, place: Place, problems: string[]): unknown {
  const kind: Kind<unknown> = catalogue[given.path].kind
  try {
    return kind.read(given.raw, place)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    problems.push(`${given.name} must be ${error.message}`)
    return undefined
  }
}

function refuse(problems: string[]): void {
  if (problems.length > 0) throw new LazaretError('SETTING_INVALID', problems.join('; '), { detail: { problems } })
}
