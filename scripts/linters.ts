// The linters of tools/, a package of its own; run alone, it formats: `npm run format -- PATH…`.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const tools = join(import.meta.dirname, '..', 'tools')
const stamp = join(tools, 'node_modules', '.lazaret-setup')

/**
 * Out: the folder of the linters' programs, installed there on the first use and whenever tools/package-lock.json changes.
 * `npm install`, as `npm ci` refuses a lock that lacks other platforms' binaries. Throws where npm fails.
 */
export function installLinters(): string {
  const wanted = createHash('sha256')
    .update(readFileSync(join(tools, 'package-lock.json')))
    .digest('hex')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    process.stderr.write('installing the linters: npm install --no-save in tools\n')
    rmSync(stamp, { force: true })
    const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
    const { status, error } = spawnSync('npm', args, { cwd: tools, stdio: ['ignore', 2, 2] })
    if (error !== undefined || status !== 0) throw new Error(`npm ${args.join(' ')} failed in tools`, { cause: error })
    writeFileSync(stamp, wanted)
  }
  return join(tools, 'node_modules', '.bin')
}

if (import.meta.main) {
  const paths = process.argv.slice(2)
  const { status } = spawnSync(`${installLinters()}/biome`, ['format', '--write', ...(paths.length === 0 ? ['.'] : paths)], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
