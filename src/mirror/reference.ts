import { LazaretError } from '../kit/errors.ts'
import { parseImageReference, type ImageReference } from '../model/reference.ts'

/** An image in some registry. */
export interface RemoteReference extends ImageReference {
  /** Host and port as users write it: `docker.io`, `127.0.0.1:5000`. */
  registry: string
  /** Where its API is: Docker Hub's is on another host. */
  origin: string
}

/**
 * In: `[HOST/]NAME[:TAG|@DIGEST]`; without a host it is Docker Hub's, as Docker reads it (distribution/reference, "Grammar").
 * A host has a dot or a port, or is localhost; loopback is asked by HTTP. Errors: INPUT_INVALID.
 */
export function parseRemoteReference(text: string): RemoteReference {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = hasHost ? first : 'docker.io'
  const path = hasHost ? text.slice(slash + 1) : text
  const named = isHub(registry) && !path.split(/[:@]/, 1)[0]?.includes('/') ? `library/${path}` : path
  const reference = parseImageReference(named)
  if (reference === undefined) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 140))} is no image reference`)
  return { ...reference, registry: isHub(registry) ? 'docker.io' : registry, origin: originOf(registry) }
}

function originOf(registry: string): string {
  if (isHub(registry)) return 'https://registry-1.docker.io'
  const url = `${isLoopback(registry) ? 'http' : 'https'}://${registry}`
  if (!URL.canParse(url)) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(registry.slice(0, 140))} is no host`)
  return new URL(url).origin
}

function isHub(registry: string): boolean {
  return registry === 'docker.io' || registry === 'index.docker.io' || registry === 'registry-1.docker.io'
}

function isLoopback(registry: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(registry)
}
