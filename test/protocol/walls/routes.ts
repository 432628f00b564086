// Every route of the running server, and what one team can send to it about another. A route without requests fails the test.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { checkout } from '../../support/lazaret.ts'
import { expectOk, jsonOf } from '../support/shapes.ts'
import type { World } from '../support/world.ts'

/** What the other team has, or what nobody has: of the same shape, so that answers can be held against each other. */
export interface Names {
  repository: string
  tag: string
  manifest: string
  blob: string
  user: string
  robot: string
  upload: string
  packageName: string
}

export interface Sent {
  method: string
  path: string
  body?: string
  headers?: Record<string, string>
}

type Requests = (names: Names) => Sent[]

const get = (path: string): Sent => ({ method: 'GET', path })
const json = (method: string, path: string, body: unknown): Sent => ({
  method,
  path,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})
const query = (values: Record<string, string>): string => new URLSearchParams(values).toString()
const ownRepository = 'alpha/own'
const octets = { 'content-type': 'application/octet-stream' }

/** By the names of `Resource` in serve/oci/route.ts, and the methods that the server says it allows. */
export const ociRequests: Record<string, Record<string, Requests>> = {
  ping: { GET: () => [get('/v2/')], HEAD: () => [{ method: 'HEAD', path: '/v2/' }] },
  catalog: {
    GET: ({ repository }) => [
      get('/v2/_catalog'),
      get(`/v2/_catalog?${query({ last: repository.slice(0, -1) })}`),
      get('/v2/_catalog?n=1'),
    ],
  },
  uploads: {
    POST: ({ repository, blob }) => [
      { method: 'POST', path: `/v2/${repository}/blobs/uploads/` },
      { method: 'POST', path: `/v2/${ownRepository}/blobs/uploads/?${query({ mount: blob, from: repository })}` },
      { method: 'POST', path: `/v2/${ownRepository}/blobs/uploads/?${query({ mount: blob })}` },
    ],
    GET: ({ repository, upload }) => [
      get(`/v2/${repository}/blobs/uploads/${upload}`),
      get(`/v2/${ownRepository}/blobs/uploads/${upload}`),
    ],
    PATCH: ({ repository, upload }) =>
      [repository, ownRepository].map((name) => ({
        method: 'PATCH',
        path: `/v2/${name}/blobs/uploads/${upload}`,
        body: 'x',
        headers: octets,
      })),
    PUT: ({ repository, upload, blob }) =>
      [repository, ownRepository].map((name) => ({
        method: 'PUT',
        path: `/v2/${name}/blobs/uploads/${upload}?digest=${blob}`,
        body: 'x',
        headers: octets,
      })),
    DELETE: ({ repository, upload }) =>
      [repository, ownRepository].map((name) => ({ method: 'DELETE', path: `/v2/${name}/blobs/uploads/${upload}` })),
  },
  blobs: {
    GET: ({ repository, blob }) => [repository, ownRepository].map((name) => get(`/v2/${name}/blobs/${blob}`)),
    HEAD: ({ repository, blob }) => [repository, ownRepository].map((name) => ({ method: 'HEAD', path: `/v2/${name}/blobs/${blob}` })),
    DELETE: ({ repository, blob }) => [repository, ownRepository].map((name) => ({ method: 'DELETE', path: `/v2/${name}/blobs/${blob}` })),
  },
  manifests: {
    GET: (names) => manifestPaths(names).map(get),
    HEAD: (names) => manifestPaths(names).map((path) => ({ method: 'HEAD', path })),
    PUT: ({ repository, tag, manifest, blob }) => [
      { method: 'PUT', path: `/v2/${repository}/manifests/${tag}`, ...indexOf([]) },
      {
        method: 'PUT',
        path: `/v2/${ownRepository}/manifests/child`,
        ...indexOf([{ mediaType: mediaTypes.ociManifest, digest: manifest, size: 1 }]),
      },
      {
        method: 'PUT',
        path: `/v2/${ownRepository}/manifests/blob`,
        ...indexOf([{ mediaType: 'application/octet-stream', digest: blob, size: 1 }]),
      },
      { method: 'PUT', path: `/v2/${ownRepository}/manifests/subject`, ...indexOf([], manifest) },
      { method: 'PUT', path: `/v2/${ownRepository}/manifests/${manifest}`, ...indexOf([]) },
    ],
    DELETE: (names) => manifestPaths(names).map((path) => ({ method: 'DELETE', path })),
  },
  tags: { GET: ({ repository }) => [get(`/v2/${repository}/tags/list`), get(`/v2/${ownRepository}/tags/list`)] },
  referrers: { GET: ({ repository, manifest }) => [repository, ownRepository].map((name) => get(`/v2/${name}/referrers/${manifest}`)) },
}

/** By method and path, as the OpenAPI document has them; and those that it does not list. */
export const otherRequests: Record<string, Requests> = {
  'GET /metrics': () => [get('/metrics')],
  'GET /token': ({ repository }) => [
    get(`/token?${query({ service: 'lazaret', scope: `repository:${repository}:*` })}`),
    get(`/token?${query({ service: 'lazaret', scope: 'registry:catalog:*' })}`),
  ],
  'POST /token': ({ user, repository }) => [
    {
      method: 'POST',
      path: '/token',
      body: query({
        grant_type: 'password',
        username: user,
        password: 'guess',
        service: 'lazaret',
        scope: `repository:${repository}:pull`,
      }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
  ],
  'GET /health/live': () => [get('/health/live')],
  'GET /health/ready': () => [get('/health/ready')],
  'GET /api': () => [get('/api'), get('/api/')],
  'GET /api/openapi.json': () => [get('/api/openapi.json')],
  'GET /api/docs': () => [get('/api/docs')],
  'GET /api/v1/verdict': (names) => imageNames(names).map((image) => get(`/api/v1/verdict?${query({ image })}`)),
  'GET /api/v1/images': ({ repository }) => [
    get('/api/v1/images'),
    get(`/api/v1/images?${query({ repository })}`),
    get(`/api/v1/images?${query({ after: `1@${repository}` })}`),
    get(`/api/v1/images?${query({ decision: 'deny' })}`),
    get('/api/v1/images?limit=1'),
  ],
  'GET /api/v1/findings': (names) => [
    get('/api/v1/findings'),
    get(`/api/v1/findings?${query({ package: names.packageName })}`),
    get('/api/v1/findings?severity=critical&limit=1'),
    ...imageNames(names).map((image) => get(`/api/v1/findings?${query({ image })}`)),
  ],
  'GET /api/v1/sbom': (names) => imageNames(names).map((image) => get(`/api/v1/sbom?${query({ image })}`)),
  'GET /api/v1/self': () => [get('/api/v1/self')],
  'GET /api/v1/users': ({ user }) => [get('/api/v1/users'), get(`/api/v1/users?${query({ after: user.slice(0, -1) })}`)],
  'POST /api/v1/users': ({ user }) => [json('POST', '/api/v1/users', { name: user, password: 'a-long-password', grants: [] })],
  'DELETE /api/v1/users': ({ user }) => [{ method: 'DELETE', path: `/api/v1/users?${query({ name: user })}` }],
  'POST /api/v1/users/grants': ({ user }) => [json('POST', '/api/v1/users/grants', { name: user, grants: ['admin'] })],
  'DELETE /api/v1/users/grants': ({ user, repository }) => [
    { method: 'DELETE', path: `/api/v1/users/grants?${query({ name: user, grant: `pull=${repository}` })}` },
  ],
  'PUT /api/v1/users/password': ({ user }) => [json('PUT', '/api/v1/users/password', { name: user, password: 'a-long-password' })],
  'GET /api/v1/robots': ({ robot }) => [get('/api/v1/robots'), get(`/api/v1/robots?${query({ after: robot.slice(0, -1) })}`)],
  'POST /api/v1/robots': ({ robot }) => [json('POST', '/api/v1/robots', { name: robot, grants: [] })],
  'DELETE /api/v1/robots': ({ robot }) => [{ method: 'DELETE', path: `/api/v1/robots?${query({ name: robot })}` }],
  'POST /api/v1/robots/grants': ({ robot }) => [json('POST', '/api/v1/robots/grants', { name: robot, grants: ['admin'] })],
  'DELETE /api/v1/robots/grants': ({ robot }) => [
    { method: 'DELETE', path: `/api/v1/robots/grants?${query({ name: robot, grant: 'admin' })}` },
  ],
  'GET /api/v1/advisories/status': () => [get('/api/v1/advisories/status')],
  'POST /api/v1/advisories/import': () => [{ method: 'POST', path: '/api/v1/advisories/import?name=x.json', body: '{}', headers: octets }],
  'GET /api/v1/advisories/changes': () => [get('/api/v1/advisories/changes')],
  'GET /api/v1/advisories/changes/records': () => [get('/api/v1/advisories/changes/records?change=1')],
  'GET /api/v1/advisories/changes/images': () => [get('/api/v1/advisories/changes/images?change=1')],
  'GET /api/v1/images/history': (names) => imageNames(names).map((image) => get(`/api/v1/images/history?${query({ image })}`)),
  'POST /api/v1/advisories/update': () => [{ method: 'POST', path: '/api/v1/advisories/update?source=kev' }],
  'GET /api/v1/advisories/revisions': () => [get('/api/v1/advisories/revisions')],
  'POST /api/v1/advisories/rollback': () => [json('POST', '/api/v1/advisories/rollback', { revision: '000001-20260101' })],
  'GET /api/v1/advisories/key': () => [get('/api/v1/advisories/key')],
  'GET /api/v1/advisories/export': () => [get('/api/v1/advisories/export')],
  'GET /api/v1/packages': () => [
    get(`/api/v1/packages?${query({ name: 'minimist' })}`),
    get('/api/v1/packages?name=minimist&version=%3C9&limit=1'),
  ],
  'GET /api/v1/jobs': ({ manifest }) => [
    get('/api/v1/jobs'),
    get(`/api/v1/jobs?${query({ kind: 'examine' })}`),
    get(`/api/v1/jobs?${query({ after: manifest })}`),
  ],
  'POST /api/v1/gc': () => [json('POST', '/api/v1/gc?dryRun=true', {})],
  'GET /api/v1/gc': () => [get('/api/v1/gc'), get('/api/v1/gc?id=1')],
  'GET /api/v1/gc/deleted': ({ repository }) => [get('/api/v1/gc/deleted'), get(`/api/v1/gc/deleted?${query({ repository })}`)],
  'POST /api/v1/gc/undo': ({ repository, manifest }) => [json('POST', '/api/v1/gc/undo', { repository, digest: manifest })],
  'GET /api/v1/scrub': () => [get('/api/v1/scrub')],
  'POST /api/v1/scrub': () => [json('POST', '/api/v1/scrub', {})],
  'GET /api/v1/damaged': () => [get('/api/v1/damaged')],
  'GET /api/v1/audit-log': ({ user, repository }) => [
    get('/api/v1/audit-log'),
    get(`/api/v1/audit-log?${query({ principal: `user:${user}` })}`),
    get(`/api/v1/audit-log?${query({ subject: repository })}`),
    get(`/api/v1/audit-log?${query({ repository, order: 'oldest' })}`),
  ],
  'GET /api/v1/audit-log/verification': () => [get('/api/v1/audit-log/verification')],
  'GET /api/v1/tags/history': ({ repository, tag, manifest }) => [
    get(`/api/v1/tags/history?${query({ image: `${repository}:${tag}` })}`),
    get(`/api/v1/tags/history?${query({ image: `${ownRepository}:${tag}` })}`),
    get(`/api/v1/tags/history?${query({ image: `${repository}@${manifest}` })}`),
  ],
  'POST /api/v1/tags/restore': ({ repository, tag, manifest }) =>
    [repository, ownRepository].map((name) => json('POST', '/api/v1/tags/restore', { image: `${name}:${tag}`, to: manifest })),
  'GET /api/v1/pulls': (names) => imageNames(names).map((image) => get(`/api/v1/pulls?${query({ image })}`)),
  'GET /api/v1/repositories': ({ repository }) => [
    get('/api/v1/repositories'),
    get('/api/v1/repositories?limit=1'),
    get(`/api/v1/repositories?${query({ after: repository.slice(0, -1) })}`),
  ],
  'GET /api/v1/repositories/settings': ({ repository }) => [get(`/api/v1/repositories/settings?${query({ repository })}`)],
  'GET /api/v1/repository-settings': () => [get('/api/v1/repository-settings')],
  'PUT /api/v1/repository-settings': ({ repository }) => [json('PUT', '/api/v1/repository-settings', { match: repository, owner: 'x' })],
  'DELETE /api/v1/repository-settings': ({ repository }) => [
    { method: 'DELETE', path: `/api/v1/repository-settings?${query({ match: repository })}` },
  ],
}

/** Those that the server has now, in the spelling of `otherRequests`; `/v2` is told by `ociRoutesOf`. */
export async function routesOf(world: World): Promise<string[]> {
  const document = jsonOf<{ paths: Record<string, object> }>(expectOk(await world.admin.get('/api/openapi.json')))
  const listed = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  return [...listed, 'GET /api', 'GET /api/openapi.json', 'GET /api/docs', ...printed(world)]
}

/** What the router says of itself, but for what stands behind the doors of /v2 and /api. */
function printed(world: World): string[] {
  const lines = world.app.printRoutes({ commonPrefix: false, includeHooks: false }).split('\n')
  return lines.flatMap((line) => {
    const match = /(\/\S+) \(([A-Z, ]+)\)$/.exec(line)
    if (match === null || match[1] === '/api' || match[1]?.startsWith('/v2') === true) return []
    const methods = (match[2] ?? '').split(', ').filter((method) => method !== 'HEAD')
    return methods.map((method) => `${method} ${match[1]}`)
  })
}

/** Kinds of paths below /v2, as its source names them, each with the methods that the server says it allows. */
export async function ociRoutesOf(world: World): Promise<Record<string, string[]>> {
  const source = await readFile(join(checkout, 'src', 'serve', 'oci', 'route.ts'), 'utf8')
  const names = [...(/export type Resource = ([^\n]+)/.exec(source)?.[1]?.matchAll(/'(\w+)'/g) ?? [])].map(([, name = '']) => name)
  const allowed = await Promise.all(
    names.map(async (name) => {
      const answer = await world.admin.ask(samplePath(name), { method: 'PROPFIND' })
      return [name, (answer.headers.get('allow') ?? '').split(', ').filter((method) => method !== '')] as const
    }),
  )
  return Object.fromEntries(allowed)
}

export function samplePath(resource: string): string {
  if (resource === 'ping') return '/v2/'
  if (resource === 'catalog') return '/v2/_catalog'
  return `/v2/${ownRepository}/${resource === 'uploads' ? 'blobs/uploads' : resource}/${resource === 'tags' ? 'list' : 'x'}`
}

function manifestPaths({ repository, tag, manifest }: Names): string[] {
  return [
    `/v2/${repository}/manifests/${tag}`,
    `/v2/${repository}/manifests/${manifest}`,
    `/v2/${ownRepository}/manifests/${manifest}`,
    `/v2/${ownRepository}/manifests/${tag}`,
  ]
}

function imageNames({ repository, tag, manifest }: Names): string[] {
  return [`${repository}:${tag}`, `${repository}@${manifest}`, repository, `${ownRepository}@${manifest}`]
}

function indexOf(manifests: object[], subject?: string): Pick<Sent, 'body' | 'headers'> {
  const body = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests,
    ...(subject === undefined ? {} : { subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 } }),
  }
  return { body: JSON.stringify(body), headers: { 'content-type': mediaTypes.ociIndex } }
}
