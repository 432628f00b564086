import { LazaretError } from '../../kit/errors.ts'
import { isRepositoryName } from '../../model/names.ts'

// Repository names have any depth, so that a path is read from its end:
//   /v2/  /v2/_catalog  /v2/NAME/{blobs/uploads,blobs,manifests,tags,referrers}/REFERENCE

export type Resource = 'ping' | 'catalog' | 'uploads' | 'blobs' | 'manifests' | 'tags' | 'referrers'

export interface Route {
  resource: Resource
  repository: string
  reference: string
}

const mostPathCharacters = 4096
const inRepository = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/

/**
 * In: the path of a request, as it was sent. Out: what it names. Exactly these paths and no variants of them.
 * Errors: NOT_FOUND, NAME_INVALID.
 */
export function routeOf(path: string): Route {
  if (path.length > mostPathCharacters) throw new LazaretError('NAME_INVALID', 'the path is too long')
  if (path === '/v2/' || path === '/v2') return { resource: 'ping', repository: '', reference: '' }
  if (path === '/v2/_catalog') return { resource: 'catalog', repository: '', reference: '' }
  const match = inRepository.exec(path.endsWith('/blobs/uploads') ? `${path}/` : path)
  if (match === null) throw new LazaretError('NOT_FOUND', 'no such path')
  const [, name = '', resource = '', reference = ''] = match
  if (!isRepositoryName(name)) throw new LazaretError('NAME_INVALID', `${JSON.stringify(name.slice(0, 140))} is not a repository name`)
  if (resource === 'tags' && reference !== 'list') throw new LazaretError('NOT_FOUND', 'no such path')
  return { resource: resource === 'blobs/uploads' ? 'uploads' : (resource as Resource), repository: name, reference: decoded(reference) }
}

function decoded(reference: string): string {
  if (!reference.includes('%')) return reference
  const text = decodedText(reference)
  if (/\p{Cc}/u.test(text)) throw new LazaretError('NOT_FOUND', 'the path has control characters')
  return text
}

function decodedText(reference: string): string {
  try {
    return decodeURIComponent(reference)
  } catch (cause) {
    throw new LazaretError('NOT_FOUND', 'the path is not well encoded', { cause })
  }
}
