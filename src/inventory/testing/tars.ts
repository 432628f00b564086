// For tests only: tars made by another writer than ours.
import { Readable } from 'node:stream'
import tar from 'tar-stream'
import type { Header } from 'tar-stream'
import { collect } from '../../kit/streams/collect.ts'
import type { LayerFacts } from '../../model/layer.ts'
import { readLayer } from '../layer.ts'
import type { ReadLayerOptions } from '../layer.ts'

export type HeaderOf = Partial<Header> & { name: string }

/** A path alone is an empty file, or a folder where it ends in a slash; with a text or bytes, a file of them. */
export type Member = string | [string | HeaderOf, string | Buffer] | HeaderOf

/** In: entries in order. Out: the tar. */
export async function tarOf(members: Member[]): Promise<Buffer> {
  const pack = tar.pack()
  for (const member of members) {
    const [named, bytes] = Array.isArray(member) ? member : [member, '']
    const header: HeaderOf = typeof named === 'string' ? { name: named } : named
    const type = header.type ?? (header.name.endsWith('/') ? 'directory' : 'file')
    if (type === 'file') pack.entry({ ...header, type }, bytes)
    else pack.entry({ ...header, type }, '')
  }
  pack.finalize()
  return await collect(Readable.from(pack), 1e9, 'a tar of a test')
}

export function symlink(name: string, linkname: string): HeaderOf {
  return { name, linkname, type: 'symlink' }
}

export function hardLink(name: string, linkname: string): HeaderOf {
  return { name, linkname, type: 'link' }
}

/** In: entries in order. Out: what `readLayer` makes of them, with a second reading where it asks for one. */
export async function layerOf(members: Member[], options: ReadLayerOptions = {}): Promise<LayerFacts> {
  return await factsOf(await tarOf(members), options)
}

export async function factsOf(bytes: Buffer, options: ReadLayerOptions = {}): Promise<LayerFacts> {
  return await readLayer(Readable.from([bytes]), { reopen: () => Readable.from([bytes]), ...options })
}

export function pathsOf(facts: LayerFacts): string[] {
  return [...facts.files].map(({ path }) => path)
}
