/** What the worker thread runs for each task. */
export { answerPrice as default } from '../answer-price.ts'
