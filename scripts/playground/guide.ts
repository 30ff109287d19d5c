import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import type { Playground } from './playground.ts'

/** Says what runs where and what to try, in commands that can be copied. */
export function printGuide(playground: Playground, wantedPort: number): void {
  const { bff, directories } = playground
  const moved = bff.port === wantedPort ? '' : ` (port ${wantedPort} is in use)`
  const hello = `curl ${bff.url}/api/shop/hello/Ada`
  const hasHello = existsSync(join(directories.work, 'functions', 'shop', 'hello'))
  const parts = [
    `${heading(`A BFF serves the functions on ${bff.url}${moved}`)}
  curl ${bff.url}/api/shop/card/p-100
  curl ${bff.url}/status    what runs, since when, from which manifest`,
    `In another terminal; after each push wait for ${styleText('green', '✓')} published here, about 10 s:
  cd ${relative(process.cwd(), directories.work)}`,
    hasHello ? '' : adding(hello),
    `${heading('Change it')}, the code and its test (of the code alone, its test refuses the change):
  perl -pi -e s/Hello/Welcome/ functions/shop/hello/index*.ts
  git commit -am "Welcome people" && git push
  ${hello}    the new answer`,
    playground.canaryPercent === undefined ? '' : steering(playground.canaryPercent, hello),
    `${heading('Take it back')} in Git; nothing is built or tested anew:
  git revert --no-edit HEAD && git push
  ${hello}    the old answer`,
    `${heading('Take it back without Git')}, as people on call do: what served before serves again, within a second:
  npx needle rollback shop/hello --reason "just trying" --key ../keys/operator.jwk.json
  npx needle status
  npx needle history shop/hello`,
    `Ctrl-C stops everything; npm start goes on where you were. Deleting .needle/playground starts over.
${playground.canaryPercent === undefined ? 'CANARY=20 npm start gives changes to 20 % of the users first.' : ''}`,
  ]
  console.log(`\n${parts.filter((part) => part !== '').join('\n\n')}`)
}

function adding(hello: string): string {
  return `${heading('Add a function')}
  npx needle new shop/hello --path /shop/hello/:name
  git add . && git commit -m "Add hello" && git push
  ${hello}    live, without a restart`
}

function steering(percent: number, hello: string): string {
  return `${heading(`Changes start at ${percent} %`)}; x-user-id says who asks, and each user stays on one side:
  for user in $(seq 50); do ${hello} -sH "x-user-id: $user"; echo; done | sort | uniq -c
  npx needle promote shop/hello --reason "looks good" --key ../keys/operator.jwk.json
  npx needle abort shop/hello --reason "looks bad" --key ../keys/operator.jwk.json`
}

function heading(text: string): string {
  return styleText('bold', text)
}
