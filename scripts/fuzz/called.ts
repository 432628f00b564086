// Which functions of a folder were called: read from the code, and counted by V8.
import { readdirSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const repository = join(import.meta.dirname, '../..')

/** What takes foreign bytes, by the parameters that it declares. */
const takesBytes =
  /\b(?:bytes|head|content|zip|block|chunk|text|log|given)\??: (?:Buffer|Content|string|Uint8Array)\b|\bAsyncIterable<(?:Buffer|Uint8Array|unknown|string)>|\bReadable\b/

export interface Reader {
  /** From the root of the repository. */
  file: string
  name: string
}

/** In: folders. Out: every function that they export and that declares foreign bytes among its parameters. Throws where there is none. */
export function readersIn(folders: readonly string[]): Reader[] {
  const readers = folders.flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.(?:test|testing)\.ts$|test-support|(?:^|\/)(?:testing|suites|fixtures)\//.test(name))
      .flatMap((name) => readersOf(join(folder, name))),
  )
  if (readers.length === 0) throw new Error(`${folders.join(', ')}: no reader of bytes`)
  return readers
}

function readersOf(file: string): Reader[] {
  const code = readFileSync(join(repository, file), 'utf8')
  return [...code.matchAll(/^export (?:async )?function\*? (\w+)(?:<[^(]*>)?\(([^{]*?)\)\s*(?::[^{]*)?\{/gm)]
    .filter(([, , parameters = '']) => takesBytes.test(parameters))
    .map(([, name = '']) => ({ file, name }))
}

/** In: what to run, and functions. Out: those of them that were not called meanwhile. */
export async function uncalled(run: () => Promise<void>, readers: readonly Reader[]): Promise<Reader[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await run()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const called = new Set(result.flatMap(calledIn))
    return readers.filter(({ file, name }) => !called.has(`${pathToFileURL(join(repository, file)).href} ${name}`))
  } finally {
    session.disconnect()
  }
}

function calledIn({ url, functions }: Profiler.ScriptCoverage): string[] {
  return functions.filter(({ ranges }) => ranges.some(({ count }) => count > 0)).map(({ functionName }) => `${url} ${functionName}`)
}
