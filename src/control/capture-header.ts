/** The header of a capture's answer that has its id: POST /v1/captures/end takes it. */
export const CAPTURE_HEADER = "Lacewing-Capture";
