// Layers to push: plain tars, which are inventoried as they arrive.
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB } from './load.ts'

export interface BenchFile {
  path: string
  sizeBytes: number
  digest: string
}

const block = 512

/** A tar of so many files of almost 1 MiB. */
export async function layerFile(folder: string, name: string, mebibytes: number): Promise<BenchFile> {
  const path = join(folder, name)
  const content = randomBytes(MiB - block)
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < mebibytes; at++) await file.write(Buffer.concat([header(`data/${at}`, content.length), content]))
    await file.write(Buffer.alloc(2 * block))
  } finally {
    await file.close()
  }
  const made = { path, sizeBytes: mebibytes * MiB + 2 * block, digest: '' }
  await renew(made)
  return made
}

/** Makes it a layer that no registry has seen. */
export async function renew(file: BenchFile): Promise<void> {
  const handle = await open(file.path, 'r+')
  try {
    await handle.write(randomBytes(16), 0, 16, block)
  } finally {
    await handle.close()
  }
  file.digest = await digestOf(file)
}

/** Out: a tar entry that, put before the file, makes another layer of it, and that layer. */
export async function withHead(file: BenchFile): Promise<{ head: Buffer; whole: BenchFile }> {
  const head = Buffer.concat([header('head', block), randomBytes(block)])
  return { head, whole: { ...file, digest: await digestOf(file, head) } }
}

async function digestOf({ path }: BenchFile, head: Buffer = Buffer.alloc(0)): Promise<string> {
  const hash = createHash('sha256').update(head)
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * MiB })) hash.update(chunk as Buffer)
  return `sha256:${hash.digest('hex')}`
}

/** POSIX.1-1988 ustar, of a regular file. */
function header(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(block)
  bytes.write(name, 0)
  bytes.write('0000644\x000000000\x000000000\0', 100)
  bytes.write(`${size.toString(8).padStart(11, '0')}\x0000000000000\0        0`, 124)
  bytes.write('ustar\x0000', 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}
