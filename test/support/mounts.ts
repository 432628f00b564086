import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'
import { scratch } from './scratch.ts'

/** Out: false where a small file system can be mounted here, else why not; throws that where everything must run. */
export async function cannotMount(): Promise<string | false> {
  await using stack = new AsyncDisposableStack()
  const point = join(await scratch(stack, 'mount'), 'point')
  await mkdir(point)
  const tried = await run('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', point])
  if (tried.code === 0) return false
  const reason = `left out, a tmpfs can't be mounted here: ${tried.stderr.trim()}`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return reason
}
