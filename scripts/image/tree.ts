// Folders laid out for an image: copied by a rule, and with modes that depend on nobody's umask.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Out: what it printed. Throws with what it said where it fails. Its standard input is empty. */
export function ran(command: string, args: readonly string[], options: { cwd?: string; timeoutMs?: number } = {}): string {
  const { error, status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 ** 2,
    timeout: options.timeoutMs ?? 300_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  if (error !== undefined) throw new Error(`${command} ${args[0] ?? ''}: ${error.message}`, { cause: error })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status ?? signal}): ${stderr.trim().slice(-4000)}`)
  return stdout
}

/** In: two folders, and which paths below the first to take. Out: what was taken, sorted. Folders come with what is in them. */
export function copyKept(from: string, to: string, keeps: (path: string) => boolean): string[] {
  return layKept(from, to, keeps, copyFileSync)
}

/** As `copyKept`, from a folder that nobody needs afterwards, on the same disk. */
export function moveKept(from: string, to: string, keeps: (path: string) => boolean): string[] {
  return layKept(from, to, keeps, renameSync)
}

function layKept(from: string, to: string, keeps: (path: string) => boolean, layFile: (from: string, to: string) => void): string[] {
  const taken = pathsBelow(from).filter(keeps)
  for (const path of taken) {
    mkdirSync(dirname(join(to, path)), { recursive: true })
    if (lstatSync(join(from, path)).isSymbolicLink()) symlinkSync(readlinkSync(join(from, path)), join(to, path))
    else layFile(join(from, path), join(to, path))
  }
  return taken
}

/** Out: files and links below a folder, relative to it, sorted. */
function pathsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()
}

/** Writes a file with its folders; `0o755` makes it a program. */
export function writeEntry(path: string, text: string, mode: 0o644 | 0o755 = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

/** Everyone may read and nobody else may write: 0755 for folders and programs, 0644 for files. */
export function plainModes(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) plainModes(path)
    else if (entry.isFile()) chmodSync(path, (lstatSync(path).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}
