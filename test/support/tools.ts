// Programs that tests need and npm does not bring.

import { accessSync, constants, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** In: a program's name. Out: its path: in LAZARET_TOOLS, else in the tools cache, else on the PATH; undefined where it is nowhere. */
export function findTool(name: string): string | undefined {
  return toolFolders()
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/** In: a program's name. Out: its path. Throws where it is not there. */
export function tool(name: string): string {
  const path = findTool(name)
  if (path === undefined) throw new Error(`${name} is not installed: not in ${toolFolders().join(', ')}`)
  return path
}

/**
 * In: what a suite needs. Out: `false` where all is there, else the reason for node:test's `skip`.
 * With CI=true a missing program is a failure, so that nothing is left out unseen: then it throws.
 */
export function lacking(...names: string[]): string | false {
  const missing = names.filter((name) => findTool(name) === undefined)
  if (process.platform !== 'linux') missing.push('Linux')
  if (process.getuid?.() !== 0) missing.push('root (the daemons need it)')
  if (missing.length === 0) return false
  const reason = `left out, missing here: ${missing.join(', ')}`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return reason
}

function toolFolders(): string[] {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const own = process.env['LAZARET_TOOLS']
  const system = (process.env['PATH'] ?? '').split(delimiter)
  const folders = [
    ...(own === undefined ? [] : [own]),
    join(cache, 'lazaret-tools', 'bin'),
    ...system,
    '/usr/sbin',
    '/sbin',
    ...postgresFolders(),
  ]
  return [...new Set(folders.filter((folder) => folder !== ''))]
}

/** Debian keeps the server's programs out of the PATH, a folder per version. */
function postgresFolders(): string[] {
  const parent = '/usr/lib/postgresql'
  try {
    return readdirSync(parent)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(parent, version, 'bin'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
