// What programs say of themselves, in the words of each; and programs of Debian, with the versions that dpkg names.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { test } from 'node:test'
import { elfWith, named, probed } from '../testing/probes.ts'
import { catalogue, longestText } from './programs/catalogue.ts'
import { programs } from './programs.ts'
import { headOf } from '../probe.ts'

/** Path, a text, and the program that it makes. */
const told: [string, string, string][] = [
  ['usr/sbin/nginx', '\0nginx version: nginx/1.25.1\0', 'nginx 1.25.1'],
  ['usr/local/openresty/nginx/sbin/nginx', '\0nginx version: openresty/1.21.4.3\0', 'openresty 1.21.4.3'],
  ['usr/bin/openssl', '\0OpenSSL 3.1.4 24 Oct 2023\0', 'openssl 3.1.4'],
  ['usr/lib/libcrypto.so.1.1', '\0OpenSSL 1.1.1w  11 Sep 2023\0', 'openssl 1.1.1w'],
  ['usr/lib64/libcrypto.so.1.0.2k', '\0OpenSSL 1.0.2k-fips  26 Jan 2017\0', 'openssl 1.0.2k'],
  ['usr/bin/openssl', '\0OpenSSL 1.1.1 (compatible; AWS-LC 1.69.0)\0', 'aws-lc 1.69.0'],
  ['bin/busybox', '\0BusyBox v1.36.1 (2023-05-18 22:30:00 UTC)\0', 'busybox 1.36.1'],
  ['bin/[', '\0BusyBox v1.36.1 (2023-05-18 22:30:00 UTC)\0', 'busybox 1.36.1'],
  ['usr/local/bin/python3.11', '\0pymalloc_debug\x003.11.2\0strict\0', 'python 3.11.2'],
  ['usr/local/lib/libpython3.7m.so.1.0', '\x003.7.4\0', 'python 3.7.4'],
  ['usr/local/bin/node', 'https://nodejs.org/download/release/node.js/v22.9.0/', 'node 22.9.0'],
  ['usr/local/bin/node', '\0v4.9.1\0', 'node 4.9.1'],
  ['usr/local/bin/redis-server', '\x007.0.14buildkitsandbox-1702957741000000000\0', 'redis 7.0.14'],
  ['usr/local/bin/redis-server', '\x004.0.11841ce7054bd9-1542359302000000000\0', 'redis 4.0.11'],
  ['usr/bin/redis-server', '\x007.0.15x86-ubc-01.example-1700000000\0', 'redis 7.0.15'],
  ['usr/local/bin/valkey-server', 'valkey9.0.0buildkitsandbox-1764887574000000000', 'valkey 9.0.0'],
  ['usr/lib/postgresql/15/bin/postgres', '\0PostgreSQL 15beta4 on x86_64\0', 'postgresql 15beta4'],
  ['usr/local/bin/postgres', '\0PostgreSQL 9.6.24\0', 'postgresql 9.6.24'],
  ['usr/local/apache2/bin/httpd', '\0Apache/2.4.54 (Unix)\0', 'httpd 2.4.54'],
  ['usr/local/bin/php', 'X-Powered-By: PHP/8.2.1\0', 'php 8.2.1'],
  ['usr/local/lib/php/libphp.so', 'X-Powered-By: PHP/8.3.0RC2\0', 'php 8.3.0RC2'],
  ['usr/local/bin/perl', '\0/usr/local/lib/perl5/5.37.8/x86_64-linux-gnu\0', 'perl 5.37.8'],
  ['usr/local/lib/libruby.so.3.2.1', '\0ruby 3.2.1 (2023-02-08 revision 31819e82c8) [x86_64-linux]\0', 'ruby 3.2.1'],
  ['usr/bin/ruby', '\0ruby 2.7.7p221 (2022-11-24 revision 168ec2b1e5)\0', 'ruby 2.7.7'],
  ['usr/bin/ruby', '\0ruby 1.9.3p551 (2014-11-13 revision 48407)\0', 'ruby 1.9.3p551'],
  ['usr/local/sbin/haproxy', '\0HAProxy version 3.1-dev0\0', 'haproxy 3.1-dev0'],
  ['usr/local/sbin/haproxy', 'version 2.7.3-1065b10, released 2023/02/14\0', 'haproxy 2.7.3'],
  ['usr/bin/mariadb', '\x0010.6.15-MariaDB\0', 'mariadb 10.6.15'],
  ['usr/bin/mysql', '/build/mysql-8.0.34/client/mysql.cc\0', 'mysql 8.0.34'],
  ['usr/bin/mongod', '\x006.0.27\0tcmalloc\0', 'mongodb 6.0.27'],
  ['usr/local/bin/memcached', '\0memcached 1.6.18\0', 'memcached 1.6.18'],
  ['usr/lib/libkrb5.so.3.3', '\0KRB5_BRAND: krb5-1.18.4-final 1.18.4 20210722\0', 'krb5 1.18.4'],
  ['usr/lib/liblzma.so.5', '\x005.6.1\0', 'xz 5.6.1'],
  ['usr/lib/libsqlite3.so.0', '\x003.40.1\0\0', 'sqlite 3.40.1'],
]

for (const [path, text, program] of told) {
  test(`${program} at ${path}`, () => {
    const bytes = elfWith(Buffer.alloc(3000), text, Buffer.alloc(2000))
    for (const pieceBytes of [bytes.length, 1024, 701]) assert.deepEqual(named(probed(programs, path, bytes, pieceBytes)), [program])
  })
}

test('WordPress says its version in a text', () => {
  const text = "<?php\n/**\n * @package WordPress\n */\n$wp_version = '6.4.2';\n"
  assert.deepEqual(named(probed(programs, 'var/www/wp-includes/version.php', Buffer.from(text))), ['wordpress 6.4.2'])
})

test('a script, another name, and a program that says nothing are none', () => {
  assert.equal(programs.probe(headOf('usr/bin/nginx', 40, Buffer.from('#!/bin/sh\nnginx version: nginx/1.25.1\n'))), undefined)
  assert.deepEqual(probed(programs, 'opt/tool', elfWith('nginx version: nginx/1.25.1\0')), [])
  assert.deepEqual(probed(programs, 'usr/sbin/nginx', elfWith('nginx version: nginx/1.25\0')), [])
  assert.deepEqual(probed(programs, 'usr/bin/python3.11', elfWith('\x003.10.2\0')), [])
})

test('no pattern takes long over any bytes', () => {
  const hostile = ['0.', '\0', '5.', 'nginx version: ', 'Erlang/OTP', 'deno-', 'a'.repeat(40), '1.1', '\x003.1', 'HAProxy version ']
  for (const { name, files } of catalogue) {
    const path = told.map(([known]) => known).find((known) => files.test(known.split('/').at(-1) ?? '')) ?? `usr/bin/${name}`
    for (const piece of hostile) {
      const began = performance.now()
      probed(programs, path, elfWith(piece.repeat(Math.ceil(100_000 / piece.length))))
      assert.ok(performance.now() - began < 2000, `${name} over ${JSON.stringify(piece)}`)
    }
  }
  assert.ok(longestText >= 512)
})

const installed: [string, string, string][] = [
  ['/bin/bash', 'bash', 'bash'],
  ['/usr/bin/perl', 'perl-base', 'perl'],
  ['/usr/sbin/nginx', 'nginx', 'nginx'],
  ['/usr/bin/openssl', 'openssl', 'openssl'],
  ['/usr/sbin/haproxy', 'haproxy', 'haproxy'],
  ['/usr/bin/curl', 'curl', 'curl'],
  ['/usr/bin/python3', 'python3-minimal', 'python'],
  ['/usr/bin/xz', 'xz-utils', 'xz'],
]

for (const [path, pack, program] of installed) {
  const version = upstreamOf(pack)
  const skip = existsSync(path) && version !== undefined ? false : `left out: ${path} is not of an installed package`
  test(`${program} of Debian is what dpkg says`, { skip }, () => {
    const real = realpathSync(path)
    assert.deepEqual(named(probed(programs, real.slice(1), readFileSync(real))), [`${program} ${version}`])
  })
}

/** Out: the version without Debian's epoch and revision; undefined where the package is not installed. */
function upstreamOf(pack: string): string | undefined {
  const { stdout, status } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Version}', pack], { encoding: 'utf8' })
  return status === 0 ? /^installed (?:\d+:)?([\d.]+)/.exec(stdout)?.[1] : undefined
}
