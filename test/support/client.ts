// What every client of a registry can be asked to do; one file per client beside this one.

import { readFile } from 'node:fs/promises'
import type { Content } from './content.ts'
import type { Credentials } from './protocol.ts'
import type { Outcome } from './run.ts'

export interface Client {
  name: string
  /** True where a push sends the layout's bytes as they are; engines pack layers anew. */
  keepsBytes: boolean
  /** Signs in, so that the client keeps the credentials as it does for its users. */
  login: (host: string, credentials: Credentials) => Promise<Outcome>
  /** What it kept for a host. */
  keptLogin: (host: string) => Promise<Credentials>
  push: (image: LocalImage, reference: string) => Promise<Outcome>
  pull: (reference: string) => Promise<Outcome>
  /** Looks at what the last successful pull of a reference left, then throws it away. */
  takePulled: (reference: string) => Promise<PulledImage>
  copy?: (from: string, to: string) => Promise<Outcome>
  listTags?: (repository: string) => Promise<string[]>
  remove?: (reference: string) => Promise<Outcome>
}

/** A content that lies on disk as an OCI layout. */
export interface LocalImage {
  content: Content
  layout: string
  tag: string
}

export interface PulledImage {
  /** Of the manifest, or the index, that the reference led to. */
  digest: string
  /** Engines only: the digest of the config. */
  imageId?: string
  /** Where the client keeps what it was sent: every digest, sorted, each held against its bytes. */
  digests?: string[]
}

/** Reads `auths` of Docker's and Podman's credential files. */
export async function readLogin(file: string, host: string): Promise<Credentials> {
  const { auths } = JSON.parse(await readFile(file, 'utf8')) as { auths?: Record<string, { auth?: string }> }
  const entry = Object.entries(auths ?? {}).find(([name]) => name === host || name === `http://${host}` || name === `https://${host}`)
  const text = Buffer.from(entry?.[1].auth ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw new Error(`${file} keeps no login for ${host}`)
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
