import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { probed } from '../testing/probes.ts'
import { layerOf } from '../testing/tars.ts'
import { zipOf } from '../testing/zips.ts'
import { erlangArchive } from './erlang-archive.ts'

const path = 'opt/rabbitmq/plugins/cowboy-2.6.1.ez'
const app = '{application,cowboy,[{vsn,"2.6.1"},{applications,[kernel,ranch]}]}.'
const real = readFileSync(new URL('erlang/fixtures/harbour-0.3.1.ez', import.meta.url))

test('an archive as mix packs it', async () => {
  const { packages, problems, unsupported } = squash([await layerOf([['root/.mix/archives/harbour-0.3.1.ez', real]])])
  assert.deepEqual([problems, unsupported], [[], []])
  assert.deepEqual(
    packages.map(({ purl, location }) => [purl, location]),
    [['pkg:hex/harbour@0.3.1', 'root/.mix/archives/harbour-0.3.1.ez!/harbour-0.3.1/ebin/harbour.app']],
  )
})

test('plug-ins that lie beside each other lead to each other', async () => {
  const ranch = zipOf([['ranch-1.7.1/ebin/ranch.app', '{application,ranch,[{vsn,"1.7.1"}]}.']])
  const layer = await layerOf([
    [path, zipOf([['cowboy-2.6.1/ebin/cowboy.app', app]])],
    ['opt/rabbitmq/plugins/ranch-1.7.1.ez', ranch],
  ])
  const { packages } = squash([layer])
  assert.deepEqual(packages.map(({ name, direct, through }) => [name, direct ?? false, through?.join() ?? '']).sort(), [
    ['cowboy', true, ''],
    ['ranch', false, 'cowboy@2.6.1'],
  ])
  assert.deepEqual(
    squash([layer, await layerOf(['opt/rabbitmq/plugins/.wh.cowboy-2.6.1.ez'])]).packages.map(({ name }) => name),
    ['ranch'],
  )
})

test('one that is damaged, cut, or none is a problem; what can not be read in it is named', async () => {
  const problems = async (bytes: Buffer) => squash([await layerOf([[path, bytes]])]).problems
  const zip = zipOf([['cowboy-2.6.1/ebin/cowboy.app', app]])
  assert.match((await problems(zip.subarray(0, -5))).join(), /cowboy-2\.6\.1\.ez.*cut short/)
  assert.match((await problems(Buffer.from('text'))).join(), /no zip/)
  const damaged = Buffer.from(zip)
  damaged.writeUInt8(damaged.readUInt8(60) ^ 0xff, 60)
  assert.equal((await problems(damaged)).length, 1)
  const bomb = zipOf([['a-1/ebin/a.app', Buffer.alloc(5 * 1024 * 1024, ' ')]])
  assert.match((await problems(bomb)).join(), /unfolds to more than/)
  const many = zipOf(Array.from({ length: 1001 }, (_, at): [string, string] => [`a-1/${at}/ebin/a.app`, app]))
  assert.match((await problems(many)).join(), /more than the 1000 applications/)
  const { unsupported } = squash([await layerOf([[path, zipOf([['a-1/ebin/a.app', '{application,']])]])])
  assert.match(unsupported[0]?.name ?? '', /^a, line 1: /)
})

test('a script with an archive in it is named, one of text is not', () => {
  const script = (rest: Buffer) => Buffer.concat([Buffer.from('#!/usr/bin/env escript\n%%! -escript main x\n'), rest, Buffer.alloc(5000)])
  assert.deepEqual(probed(erlangArchive, 'usr/local/bin/rebar3', script(zipOf([['a', 'b']]))), [
    { unsupported: { kind: 'Erlang script with an archive in it, which is not read', component: true } },
  ])
  assert.deepEqual(probed(erlangArchive, 'usr/local/bin/tool', script(Buffer.from('main(_) -> ok.\n'))), [])
  assert.deepEqual(probed(erlangArchive, 'x.zip', zipOf([['escript', 'b']])), [])
})
