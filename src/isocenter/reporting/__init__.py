"""Findings become sentences, pages and DICOM objects; nothing here looks at pixels to decide anything."""
