import { answerPrice } from '../answer-price.ts'

/** JSON text in; out come the three digits of the status and JSON text: nothing is cloned. */
export async function answer(text: string): Promise<string> {
  const { status, body } = await answerPrice(JSON.parse(text))
  return `${status}${JSON.stringify(body)}`
}
