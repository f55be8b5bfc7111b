/** The message types that this network knows (messaging spec 4.4); anything else is free text, which is stored and nothing more. */
export const MessageTypes = {
  userMessage: 'user_message',
  inferenceResponse: 'inference_request_response_announcement_message',
  inferenceResult: 'inference_request_result_announcement_message',
} as const;
