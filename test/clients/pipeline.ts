// What a pipeline does to an image before it may be pulled, by the clients that pipelines use.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '../support/client.ts'
import type { Content } from '../support/content.ts'
import { type Cosign, openCosign } from '../support/cosign.ts'
import { openCrane } from '../support/crane.ts'
import type { Lazaret } from '../support/lazaret.ts'
import { openOras, type Oras } from '../support/oras.ts'
import { openPodman, type Podman } from '../support/podman.ts'
import type { Credentials } from '../support/protocol.ts'
import type { Outcome } from '../support/run.ts'
import { openScanner, type Scanner } from '../support/scanner.ts'
import { scratch } from '../support/scratch.ts'
import { openSkopeo } from '../support/skopeo.ts'

export const pipelineNeeds = ['skopeo', 'podman', 'crane', 'oras', 'cosign']
/** As docs/gate.md gives them to a robot. */
export const pipelineGrants = ['push=shop/**', 'read-quarantined=shop/**', 'delete=shop/**']

/** Every client, signed in as one principal. */
export interface Bench {
  skopeo: Client
  podman: Podman
  crane: Client
  oras: Oras
  cosign: Cosign
  scanner: Scanner
  /** For what a client wants to read from disk. */
  folder: string
}

export async function openBench(stack: AsyncDisposableStack, server: Lazaret, who: Credentials): Promise<Bench> {
  const clients = {
    skopeo: await openSkopeo(stack),
    podman: await openPodman(stack),
    crane: await openCrane(stack),
    oras: await openOras(stack),
    cosign: await openCosign(stack),
    scanner: await openScanner(stack),
  }
  for (const client of Object.values(clients)) await signIn(client, server, who)
  return { ...clients, folder: await scratch(stack, 'bench') }
}

export async function signIn(client: Pick<Client, 'login'>, server: Lazaret, who: Credentials): Promise<void> {
  const login = await client.login(server.host, who)
  assert.equal(login.code, 0, login.output)
}

/** One image, pushed under 1.0.0. */
export interface Subject {
  /** `HOST/REPOSITORY`. */
  name: string
  content: Content
}

export interface Operation {
  name: string
  /** False where the client never asks for the manifest's bytes, so that the right to push or to delete is enough. */
  reads: boolean
  run: (bench: Bench, subject: Subject) => Promise<Outcome>
  /** Where a refused client shows less than the whole line. */
  refusal?: RegExp
}

export const operations: Operation[] = [
  { name: 'podman manifest add', reads: true, run: ({ podman }, { name }) => manifestAdd(podman, `${name}:1.0.0`) },
  { name: 'crane copy', reads: true, run: ({ crane }, { name }) => copy(crane, `${name}:1.0.0`, `${name}-copy:1.0.0`) },
  { name: 'cosign sign', reads: true, run: ({ cosign }, { name, content }) => cosign.sign(`${name}@${content.root.digest}`) },
  { name: 'lazaret scan', reads: true, run: ({ scanner }, { name }) => scanner.scan([`${name}:1.0.0`]) },
  { name: 'skopeo delete', reads: true, run: ({ skopeo }, { name }) => remove(skopeo, `${name}:1.0.0`) },
  {
    name: 'oras manifest delete',
    reads: true,
    run: ({ oras }, { name, content }) => remove(oras, `${name}@${content.root.digest}`),
    // It stops at a HEAD with a token for pulling, whose answer has no body, and oras does not print the reason phrase.
    refusal: /HEAD "[^"]+": response status code 403/,
  },
  // Attaching asks by HEAD, which answers who pushes; a delete by digest only deletes.
  { name: 'oras attach', reads: false, run: (bench, { name }) => attach(bench, `${name}:1.0.0`) },
  { name: 'crane delete', reads: false, run: ({ crane }, { name, content }) => remove(crane, `${name}@${content.root.digest}`) },
]

/** Its own for each operation and each who. */
export function repositoryFor(operation: Operation, who: string): string {
  return `shop/${operation.name.replaceAll(' ', '-')}-${who}`
}

async function manifestAdd({ podman }: Podman, reference: string): Promise<Outcome> {
  const name = `list-${crypto.randomUUID()}`
  const created = await podman(['manifest', 'create', name])
  assert.equal(created.code, 0, created.output)
  return podman(['manifest', 'add', '--tls-verify=false', name, `docker://${reference}`])
}

function copy(client: Client, from: string, to: string): Promise<Outcome> {
  if (client.copy === undefined) throw new Error(`${client.name} copies nothing`)
  return client.copy(from, to)
}

function remove(client: Client, reference: string): Promise<Outcome> {
  if (client.remove === undefined) throw new Error(`${client.name} deletes nothing`)
  return client.remove(reference)
}

async function attach({ oras, folder }: Bench, reference: string): Promise<Outcome> {
  const report = `report-${crypto.randomUUID()}.txt`
  await writeFile(join(folder, report), `${report}\n`)
  return oras.oras(['attach', '--plain-http', '--artifact-type', 'application/vnd.example.report', reference, `${report}:text/plain`], {
    cwd: folder,
  })
}

/** Out: how many manifests name this one as their subject. */
export async function referrerCount(server: Lazaret, repository: string, content: Content): Promise<number> {
  const path = `/v2/${repository}/referrers/${content.root.digest}`
  const answer = await server.protocol(server.developer).ask(path, { scope: `repository:${repository}:pull` })
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  return (JSON.parse(answer.body.toString('utf8')) as { manifests: unknown[] }).manifests.length
}

export async function expectGone(server: Lazaret, repository: string, content: Content): Promise<void> {
  const answer = await server.protocol(server.developer).manifest(repository, content.root.digest)
  assert.equal(answer.status, 404)
}

/** What an operation must have done where it worked. */
export async function expectDone(
  server: Lazaret,
  bench: Bench,
  { name }: Operation,
  repository: string,
  content: Content,
  outcome: Outcome,
): Promise<void> {
  assert.equal(outcome.code, 0, outcome.output)
  if (name.endsWith('delete')) await expectGone(server, repository, content)
  if (name === 'oras attach') assert.equal(await referrerCount(server, repository, content), 1)
  if (name === 'lazaret scan') assert.ok(outcome.stdout.includes(content.root.digest), outcome.output)
  if (name === 'cosign sign') {
    const verified = await bench.cosign.verify(`${server.host}/${repository}@${content.root.digest}`)
    assert.equal(verified.code, 0, verified.output)
    assert.equal(await referrerCount(server, repository, content), 1)
  }
}

/** Out: who read a manifest or a blob that only the grant let through, and how it stood. In: `REPOSITORY@DIGEST`. */
export async function passagesByGrant(server: Lazaret, subject: string): Promise<{ principal: string; standing: string | undefined }[]> {
  const answer = await server.api(`/audit-log?action=image.read-quarantined&subject=${encodeURIComponent(subject)}`)
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  const { items } = JSON.parse(answer.body.toString('utf8')) as { items: { principal: string; detail: { standing?: string } }[] }
  return items.map(({ principal, detail }) => ({ principal, standing: detail.standing }))
}
