// Real images of others. The figures were counted with Python's tarfile, not with the code under test.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ImageInventory } from '../model/inventory.ts'
import { openImage } from './archive.ts'
import type { LocalImage } from './archive.ts'
import { readLayer } from './layer.ts'
import { squash } from './squash.ts'
import { sharedData } from '../../test/support/shared.ts'

const folder = sharedData('images')
const skip = existsSync(folder) ? false : `real images: left out, ${folder} is not there`
if (skip !== false) console.log(skip)

interface Expected {
  kind: LocalImage['kind']
  roles?: string[]
  problems?: RegExp
  release?: string
  packages: Record<string, number>
  unsupported?: string[]
  /** Some package URLs that must be there. */
  purls?: string[]
}

const images: Record<string, Expected> = {
  'alpine.tar': {
    kind: 'oci-archive',
    release: 'alpine 3.14.9',
    packages: { apk: 14 },
    purls: ['pkg:apk/alpine/musl@1.2.2-r3?arch=x86_64&distro=alpine-3.14.9'],
  },
  'busybox-1.31.1.tar': { kind: 'oci-archive', packages: { program: 1 }, purls: ['pkg:generic/busybox@1.31.1'] },
  'busybox-single-arch-with-attestation-manifest.tar': { kind: 'oci-archive', roles: ['image', 'attestation'], packages: { program: 1 } },
  'kaniko-busybox.tar': { kind: 'docker-archive', packages: {} },
  'nginx-compressed-layers.tar': {
    kind: 'docker-archive',
    problems: /config speaks of 3 layers where the manifest lists 1/,
    release: 'debian 10',
    packages: { deb: 84 },
    purls: ['pkg:deb/debian/apt@1.8.2?arch=amd64&distro=debian-10'],
  },
  'nginx-with-buildinfo.tar': {
    kind: 'docker-archive',
    problems: /config speaks of 3 layers/,
    release: 'debian 10',
    packages: { deb: 84 },
  },
  'node-removed.tar': { kind: 'oci-archive', packages: { program: 1 } },
  'npm7-with-node-modules-only.tar': { kind: 'oci-archive', release: 'alpine 3.19.1', packages: { apk: 15, npm: 82 } },
  'java-uberjar.tar': {
    kind: 'docker-archive',
    packages: { maven: 3 },
    purls: [
      'pkg:maven/com.google.j2objc/j2objc-annotations@1.3',
      'pkg:maven/org.slf4j/jul-to-slf4j@1.7.30',
      'pkg:maven/com.google.guava/guava@30.1-jre',
    ],
  },
  // Two of its jars hold only a text, or another jar.
  '3-level-jar.tar': {
    kind: 'docker-archive',
    packages: { maven: 1 },
    purls: ['pkg:maven/com.google.guava/listenablefuture@9999.0-empty-to-avoid-conflict-with-guava'],
  },
}

for (const [name, expected] of Object.entries(images)) {
  test(`${name} is read`, { skip }, async () => {
    const opened = await openImage(join(folder, name))
    const inventory = await inventoryOf(opened)
    await opened.close()
    assert.equal(opened.kind, expected.kind)
    assert.deepEqual(
      opened.manifests.map(({ role }) => role),
      expected.roles ?? ['image'],
    )
    assert.match(opened.problems.join('; '), expected.problems ?? /^$/)
    assert.deepEqual(inventory.problems, [])
    assert.equal(inventory.release && `${inventory.release.id} ${inventory.release.versionId}`, expected.release)
    assert.deepEqual(countsOf(inventory), expected.packages)
    assert.deepEqual(
      inventory.unsupported.map(({ path }) => path),
      expected.unsupported ?? [],
    )
    const purls = new Set(inventory.packages.map(({ purl }) => purl))
    for (const purl of expected.purls ?? []) assert.ok(purls.has(purl), purl)
  })
}

test('an archive that is no image is refused', { skip }, async () => {
  await assert.rejects(openImage(join(folder, 'unsupported-image.tar')), {
    code: 'UNREADABLE',
    message: /neither a Docker nor an OCI archive/,
  })
})

/** Every layer has the diffID that the config says, where the config speaks of it. */
async function inventoryOf(opened: LocalImage): Promise<ImageInventory> {
  const facts = []
  for (const { open, diffId } of opened.manifests.find(({ role }) => role === 'image')?.layers ?? []) {
    const layer = await readLayer(open(), { reopen: open })
    if (diffId !== undefined) assert.equal(layer.diffId, diffId)
    facts.push(layer)
  }
  return squash(facts)
}

function countsOf({ packages }: ImageInventory): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of packages) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
