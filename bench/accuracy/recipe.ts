// An image, made once by the real tools and kept with what these list of it.
import { execFile } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { imageIn } from '../scan/image.ts'
import type { Truth } from './score.ts'

export interface Recipe {
  /** Of its files, and the word that picks it. */
  name: string
  /** What is in it, and who lists it. */
  what: string
  /** Fills the roots of the layers, from the lowest up. Out: the truth. Throws where a tool is missing or fails. */
  make: (place: Place) => Promise<Truth>
}

export interface Place {
  /** In: how low, from 0. Out: the folder of that layer, made. */
  layer: (nth?: number) => Promise<string>
  /** In: the tar of the next layer, where a folder can't say what it has to. */
  packed: (tar: Buffer) => Promise<void>
  /** For what does not come into the image. */
  work: string
}

export interface Kept {
  archive: string
  truth: Truth
}

/** In: the folder where images are kept. Out: the archive and its truth, made where they are not there yet. */
export async function keptIn(folder: string, { name, make }: Recipe): Promise<Kept> {
  const [archive, truthPath, draft] = [join(folder, `${name}.tar`), join(folder, `${name}.truth.json`), join(folder, `${name}.making`)]
  if (!existsSync(truthPath)) {
    for (const left of [draft, join(folder, name), archive]) await rm(left, { recursive: true, force: true })
    const work = join(draft, 'work')
    await mkdir(work, { recursive: true })
    const layers: { root?: string; tar: string }[] = []
    const layer = async (nth = 0) => {
      const root = join(draft, `layer-${nth}`)
      layers[nth] = { root, tar: `${root}.tar` }
      await mkdir(root, { recursive: true })
      return root
    }
    const packed = async (bytes: Buffer) => {
      const tar = join(draft, `layer-${layers.length}.tar`)
      layers.push({ tar })
      await writeFile(tar, bytes)
    }
    const truth = await make({ layer, packed, work })
    for (const { root, tar } of layers) if (root !== undefined) await pack(root, tar)
    await imageIn(folder, name, () => layers.map(({ tar }) => createReadStream(tar)))
    await writeFile(`${truthPath}.draft`, JSON.stringify(truth, null, 1))
    await rename(`${truthPath}.draft`, truthPath)
    await rm(draft, { recursive: true, force: true })
  }
  return { archive, truth: JSON.parse(await readFile(truthPath, 'utf8')) as Truth }
}

async function pack(root: string, tar: string): Promise<void> {
  const left = ['dev', 'proc', 'sys'].map((name) => `--exclude='./${name}/*'`).join(' ')
  await shell(`tar --sort=name --numeric-owner ${left} -cf "$TAR" .`, root, { TAR: tar })
}

/** In: a shell script, where it runs, and its variables. Out: what it printed. Throws with what it said where it fails. */
export async function shell(script: string, cwd: string, variables: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', ...variables }
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-eo', 'pipefail', '-c', script], {
    cwd,
    env,
    maxBuffer: 1 << 28,
    timeout: 3_600_000,
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error(`${script.trim().slice(0, 200)} … failed: ${(error.stderr ?? '').trim().slice(-1000) || error.message}`, {
      cause: error,
    })
  })
  return stdout
}

/** In: lines of fields between tabs. Out: the fields. */
export function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}
