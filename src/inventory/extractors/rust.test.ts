import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { elfWith, fixtureOf, named, packagesIn, probed } from '../testing/probes.ts'
import { cratesOf } from './rust/audit.ts'
import { rust } from './rust.ts'

const fixture = (name: string) => fixtureOf(new URL(`rust/fixtures/${name}.zst`, import.meta.url))

test('crates of a stripped program, those that only built it left out: what Cargo.lock and cargo tree -e normal say', () => {
  for (const pieceBytes of [10_000_000, 4099]) {
    assert.deepEqual(named(probed(rust, 'app', fixture('cargo-auditable-0.7.7'), pieceBytes)), [
      'std 1.95.0',
      'itoa 1.0.10',
      'lazaret-sample 0.3.1',
      'serde 1.0.229',
      'serde_core 1.0.229',
      'time 0.3.20',
      'time-core 0.1.0',
    ])
  }
})

test('the program itself is not of the registry', () => {
  const own = packagesIn(probed(rust, 'app', fixture('cargo-auditable-0.7.7'))).filter(({ qualifiers }) => qualifiers !== undefined)
  assert.deepEqual(own, [{ kind: 'cargo', name: 'lazaret-sample', version: '0.3.1', qualifiers: { source: 'local' } }])
})

test('a program without the list is named, with the standard library that it holds', () => {
  assert.deepEqual(probed(rust, 'app', fixture('without-list')), [
    { package: { kind: 'cargo', name: 'std', version: '1.95.0' } },
    { unsupported: { kind: 'Rust program without a list of its crates', component: true } },
  ])
  assert.deepEqual(probed(rust, 'cc', elfWith('\0run rustc version of your choice\0', '.dep-v0\0')), [])
})

test('build kind, other sources, and a cycle', () => {
  const crates = [
    { name: 'a', version: '1.0.0', source: 'crates.io', dependencies: [1] },
    { name: 'b', version: '2.0.0', source: 'git', dependencies: [0] },
    { name: 'cc', version: '1.0.1', source: 'crates.io', kind: 'build' },
    { name: 'root', version: '0.1.0', source: 'local', root: true, dependencies: [0, 3] },
  ]
  assert.deepEqual(packagesIn(cratesOf(listOf(crates))), [
    { kind: 'cargo', name: 'a', version: '1.0.0' },
    { kind: 'cargo', name: 'b', version: '2.0.0', qualifiers: { source: 'git' } },
    { kind: 'cargo', name: 'root', version: '0.1.0', qualifiers: { source: 'local' } },
  ])
})

test('a list that is no list, a bomb, and a crate without a name are named, and nothing of them is believed', () => {
  const bad: [Buffer, RegExp][] = [
    [Buffer.from('no zlib'), /can't be read \(/],
    [deflateSync('{"packages":'), /can't be read \(/],
    [deflateSync('[]'), /no list of packages/],
    [deflateSync('{"packages":{}}'), /no list of packages/],
    [deflateSync(Buffer.alloc(9 * 1024 * 1024, ' ')), /can't be read \(/],
    [deflateSync(`{"packages":[${'1,'.repeat(200_000)}1]}`), /more than 100000 crates/],
    [deflateSync('{"__proto__":{"packages":[]}}'), /no list of packages/],
    [listOf([{ name: 'a', version: '1.0.0', source: 'crates.io' }, { name: 'b' }]), /without a name or version/],
    [listOf([{ name: 'a b', version: '1.0.0' }]), /without a name or version/],
  ]
  for (const [section, why] of bad) {
    const facts = cratesOf(section)
    assert.equal(facts.length, 1)
    assert.match(JSON.stringify(facts[0]), why)
    assert.match(JSON.stringify(facts[0]), /"component":true/)
  }
})

test('whatever stands in a program, the probe ends and throws nothing', () => {
  const whole = fixture('cargo-auditable-0.7.7')
  const end = whole.subarray(Math.max(0, whole.length - 8192))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 30 }), (changes) => {
      const bytes = Buffer.concat([whole.subarray(0, 4096), end])
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      for (const { name, version } of packagesIn(probed(rust, 'app', bytes, 777))) assert.ok(!/[\s\0]/.test(name + version))
    }),
    { numRuns: 300 },
  )
})

function listOf(packages: unknown[]): Buffer {
  return deflateSync(JSON.stringify({ packages }))
}
