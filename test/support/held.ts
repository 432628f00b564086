// Images that `balanced` holds, and the same with what holds them cured. The flaws are in the bundled advisories.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { LocalImage } from './client.ts'
import { type Content, writeLayout } from './content.ts'
import { imageOf } from './images.ts'
import type { Lazaret } from './lazaret.ts'
import { expectStatus } from './transfer.ts'
import { debianBase, npmApplication } from './worlds.ts'

export interface Flaw {
  id: string
  packageName: string
  flawed: string
  fixed: string
}

/** GHSA-xvch-5gv4-984h: prototype pollution, CVSS 9.8. */
export const critical: Flaw = { id: 'CVE-2021-44906', packageName: 'minimist', flawed: '1.2.5', fixed: '1.2.6' }
/** GHSA-jpcq-cgw6-v4j6: of moderate severity, and in CISA's list of those that are exploited. */
export const exploited: Flaw = { id: 'CVE-2020-11023', packageName: 'jquery', flawed: '3.4.1', fixed: '3.5.0' }

export function flawedImage(flaw: Flaw, salt = ''): Promise<Content> {
  return imageOf([base(salt), npmApplication({ [flaw.packageName]: flaw.flawed })])
}

/** What both are built on. */
export function baseImage(salt = ''): Promise<Content> {
  return imageOf([base(salt)])
}

export function fixedImage(flaw: Flaw, salt = ''): Promise<Content> {
  return imageOf([base(salt), npmApplication({ [flaw.packageName]: flaw.fixed })])
}

/** In: a content. Out: it on disk, as clients push it. */
export async function onDisk(content: Content, folder: string): Promise<LocalImage> {
  return { content, tag: 'made', layout: await writeLayout(content, join(folder, crypto.randomUUID()), 'made') }
}

/** The line that every client must show, whatever it prints around it. */
export function heldLine(repository: string, flaw: Flaw): RegExp {
  const [id, name, flawed, fixed] = [flaw.id, flaw.packageName, flaw.flawed, flaw.fixed].map(escaped)
  return new RegExp(
    `lazaret: ${escaped(repository)}@sha256:[0-9a-f]{6,}(\\.\\.\\.)? is held: ${id} in ${name} ${flawed}.*fixed in ${fixed}`,
  )
}

/** Pushes as the administrator and waits for the verdict. Throws where it is not the expected one. */
export async function pushAndJudge(server: Lazaret, repository: string, tag: string, content: Content, decision: string): Promise<void> {
  expectStatus(await server.protocol(server.admin).push(repository, content, tag), 201)
  await expectVerdict(server, `${repository}:${tag}`, decision)
}

export async function expectVerdict(server: Lazaret, image: string, decision: string): Promise<void> {
  const answer = expectStatus(await server.api(`/verdict?image=${encodeURIComponent(image)}&wait=30`), 200)
  const verdict = JSON.parse(answer.body.toString('utf8')) as { decision: string }
  assert.equal(verdict.decision, decision, answer.body.toString('utf8'))
}

function base(salt: string) {
  return { ...debianBase([{ name: 'tzdata', version: '2024a-0+deb12u1' }]), 'etc/salt': salt }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
