import { relative } from 'node:path'
import { styleText } from 'node:util'
import type { Playground } from './playground.ts'

/** Says what runs where and what to try, in commands that can be copied. */
export function printGuide({ bff, directories }: Playground, wantedPort: number): void {
  const work = relative(process.cwd(), directories.work)
  const moved = bff.port === wantedPort ? '' : ` (port ${wantedPort} is in use)`
  console.log(`
${heading(`A BFF serves the functions on ${bff.url}${moved}`)}
  curl ${bff.url}/api/shop/card/p-100
  curl ${bff.url}/status                what runs, since when, from which manifest

${heading('Add a function')}, in another terminal:
  cd ${work}
  npx needle new shop/hello --path /shop/hello/:name
  git add . && git commit -m "Add hello" && git push
  curl ${bff.url}/api/shop/hello/Ada    live, without a restart

${heading('Change it')}, the code and its test:
  sed -i s/Hello/Welcome/ functions/shop/hello/index*.ts
  git commit -am "Welcome people" && git push
  curl ${bff.url}/api/shop/hello/Ada    the new answer; change the code alone and its test refuses it

${heading('Take it back')}
  git revert --no-edit HEAD && git push
  curl ${bff.url}/api/shop/hello/Ada    the old one; nothing was built or tested anew

Ctrl-C stops everything; npm start goes on where you were.
CANARY=20 npm start gives changes 20 % of the users first.`)
}

function heading(text: string): string {
  return styleText('bold', text)
}
