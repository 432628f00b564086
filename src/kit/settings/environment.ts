import { catalogue, laterNames, type SettingPath, settingPaths, variableOf } from './catalogue.ts'
import { type Kind, shown } from './kinds.ts'
import { nearest } from './nearest.ts'
import { secret } from './secret.ts'
import type { Given } from './given.ts'

// LAZARET_CONFIG names the settings file; LAZARET_TOOLS is the folder of the programs that this project's own tests drive.
const notSettings = new Set(['LAZARET_CONFIG', 'LAZARET_TOOLS'])

// A Kubernetes Service called `lazaret`, or `lazaret-…`, puts these into every container of its namespace.
const serviceLink =
  /^LAZARET_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/

const pathOfVariable = new Map<string, SettingPath>(settingPaths.map((path) => [variableOf(path), path]))
const fileVariables = new Map<string, SettingPath>(settingPaths.filter(isSecret).map((path) => [`${variableOf(path)}_FILE`, path]))

/**
 * In: the environment, and the folder that relative paths start from. Out: the settings in it, with `problems` added to.
 * An empty variable counts as not set, save for a list, which it empties.
 */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>, folder: string, problems: string[]): Given[] {
  const given: Given[] = []
  for (const variable of Object.keys(env)
    .filter((name) => name.startsWith('LAZARET_'))
    .sort()) {
    const text = env[variable] ?? ''
    const path = pathOfVariable.get(variable) ?? fileVariables.get(variable)
    if (path === undefined) {
      if (!isForeign(variable, text)) problems.push(unknownVariable(variable))
      continue
    }
    const kind: Kind<unknown> = catalogue[path].kind
    if (text === '' && !isList(kind)) continue
    const raw = fileVariables.has(variable) ? { file: text } : (kind.fromText?.(text) ?? text)
    if (given.some((other) => other.path === path)) problems.push(`${variableOf(path)} and ${variableOf(path)}_FILE can't both be set`)
    given.push({ path, raw, folder, from: variable, name: variable })
  }
  return given
}

function isSecret(path: SettingPath): boolean {
  return catalogue[path].kind === secret
}

function isList(kind: Kind<unknown>): boolean {
  return Array.isArray(kind.fromText?.(''))
}

function isForeign(variable: string, text: string): boolean {
  if (notSettings.has(variable) || serviceLink.test(variable)) return true
  return /^LAZARET_(?:[A-Z0-9_]+_)?PORT$/.test(variable) && /^(?:tcp|udp|sctp):\/\//.test(text)
}

function unknownVariable(variable: string): string {
  const later = laterNames.find((name) => variable === variableOf(name) || variable.startsWith(`${variableOf(name)}_`))
  if (later !== undefined) return `${variable}: this version has no ${later} yet`
  const meant = nearest(variable, [...pathOfVariable.keys(), ...fileVariables.keys(), ...notSettings])
  return `${shown(variable).slice(1, -1)} is not a setting${meant === undefined ? '' : `, did you mean ${meant}?`}`
}
